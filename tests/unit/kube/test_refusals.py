"""What the API server says when it refuses a Pod, as recorded from Kubernetes 1.34, and the reasons made of it."""

import pytest

from lakehouse_operator.kube.errors import ClusterError, error_of
from lakehouse_operator.kube.refusals import refusal_of

RECORDED = [
    (
        403,
        'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
        "QuotaExceeded",
    ),
    (403, 'pods "x" is forbidden: failed quota: q: must specify limits.cpu for: main', "QuotaExceeded"),
    (
        403,
        'pods "x" is forbidden: [maximum memory usage per Container is 1Gi, maximum cpu usage per Pod]',
        "LimitRangeRefused",
    ),
    (403, 'pods "x" is forbidden: minimum cpu usage per Container is 1, but request is 100m', "LimitRangeRefused"),
    (
        403,
        'pods "x" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000',
        "LimitRangeRefused",
    ),
    (403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest": hostPath volumes', "PodSecurityRefused"),
    (
        403,
        'pods "x" is forbidden: error looking up service account n/s: serviceaccount "s" not found',
        "ServiceAccountMissing",
    ),
    (403, 'pods "x" is forbidden: no PriorityClass with name vip was found', "PriorityClassMissing"),
    (400, 'admission webhook "v.example.org" denied the request: no', "AdmissionRefused"),
    (403, 'admission webhook "v.example.org" denied the request: no', "AdmissionRefused"),
    (422, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", "AdmissionRefused"),
    (
        403,
        'pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "n"',
        "Forbidden",
    ),
    (422, 'Pod "x" is invalid: spec.containers: Required value', "InvalidPod"),
    (400, 'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string', "InvalidPod"),
    (413, "Request entity too large: limit is 3145728", "InvalidPod"),
]


@pytest.mark.parametrize(("code", "message", "reason"), RECORDED)
def test_a_recorded_refusal_gets_its_reason(code: int, message: str, reason: str) -> None:
    refusal = refusal_of(error_of("POST /pods", code, {"message": message}))

    assert refusal is not None
    assert refusal.reason == reason
    assert refusal.message.startswith(message)


@pytest.mark.parametrize("code", [404, 409, 410, 429, 500, 503, 504])
def test_what_may_work_later_by_itself_is_no_refusal(code: int) -> None:
    assert refusal_of(error_of("POST /pods", code, {})) is None


def test_a_namespace_that_ends_is_no_refusal() -> None:
    status = {"message": "it is being terminated", "details": {"causes": [{"reason": "NamespaceTerminating"}]}}

    assert refusal_of(error_of("POST /pods", 403, status)) is None


def test_a_very_long_message_is_cut() -> None:
    refusal = refusal_of(error_of("POST /pods", 422, {"message": "field " * 1000}))

    assert refusal is not None
    assert len(refusal.message) < 1024


def test_an_answer_that_is_no_status_document_names_the_call() -> None:
    assert str(error_of("POST /pods", 502, {})) == "POST /pods: HTTP 502"


def test_an_error_knows_how_long_to_wait() -> None:
    error = error_of("GET /pods", 429, {}, "3")

    assert isinstance(error, ClusterError)
    assert getattr(error, "retry_after", None) == 3.0
