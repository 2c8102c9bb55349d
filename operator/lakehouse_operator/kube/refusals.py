"""Why the API server would not take an object: its message turned into a reason a person can act on."""

import re

from lakehouse_operator.core.plan import Refusal
from lakehouse_operator.kube.errors import ClusterError, ForbiddenError, NotFoundError, RejectedError

NAME_CONFLICT = "NameConflict"
_MESSAGE_LIMIT = 900

# The server has no codes for these: its admission plugins only differ by what they say.
_FORBIDDEN = (
    ("QuotaExceeded", re.compile(r"exceeded quota: |failed quota: |insufficient quota")),
    ("PodSecurityRefused", re.compile(r"violates PodSecurity ")),
    ("LimitRangeRefused", re.compile(r"(?:maximum|minimum) \S+ usage per |\S+ max limit to request ratio per ")),
    ("ServiceAccountMissing", re.compile(r"error looking up service account |serviceaccount \S+ not found")),
    ("PriorityClassMissing", re.compile(r"no PriorityClass with name ")),
    ("AdmissionRefused", re.compile(r"admission webhook |ValidatingAdmissionPolicy ")),
)
_ADVICE = {
    "QuotaExceeded": "raise the ResourceQuota, or ask for less in spec.spark",
    "PodSecurityRefused": "change spec.spark.podTemplate, or the namespace's pod-security.kubernetes.io/enforce label",
    "LimitRangeRefused": "change spec.spark so that it fits, or the LimitRange",
    "ServiceAccountMissing": "create the service account, or name another in spec.spark.serviceAccount",
    "PriorityClassMissing": "create the PriorityClass, or name another in spec.spark.podTemplate",
    "AdmissionRefused": "a policy of this cluster said no: change the spec, or ask its owner",
    "Forbidden": "give the operator's service account the right; its Helm chart does so by default",
    "InvalidPod": "correct spec.spark, most likely its podTemplate",
}


def refusal_of(error: ClusterError) -> Refusal | None:
    """Give the reason for which an object of a run was refused; None if the same call may work later by itself."""
    if error.namespace_ends:
        return None
    match error:
        case ForbiddenError():
            return _refusal(_forbidden(error.message), error.message)
        case RejectedError():
            reason = "AdmissionRefused" if _denied(error.message) else "InvalidPod"
            return _refusal(reason, error.message)
        case NotFoundError():
            return None
        case _:
            return None


def _forbidden(message: str) -> str:
    return next((reason for reason, pattern in _FORBIDDEN if pattern.search(message)), "Forbidden")


def _denied(message: str) -> bool:
    return _forbidden(message) == "AdmissionRefused"


def _refusal(reason: str, message: str) -> Refusal:
    said = " ".join(message.split())
    if len(said) > _MESSAGE_LIMIT:
        said = said[:_MESSAGE_LIMIT] + "..."
    return Refusal(reason=reason, message=f"{said}; {_ADVICE[reason]}")
