"""What a job reads from AWS Secrets Manager, and what it says when it cannot. The service is moto's."""

from collections.abc import Iterator
from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_api.secrets import AwsSecret, AwsSecrets
from lakehouse_dev.waiting import free_ports
from lakehouse_jobs.aws import clients
from lakehouse_jobs.aws.secrets import read
from lakehouse_jobs.failures import JobError
from tests.aws import IDENTITY, REGION, identity, put_secret, refusing

LOGIN = {"username": "LAKEHOUSE_SOURCE_USERNAME", "password": "LAKEHOUSE_SOURCE_PASSWORD"}
FOUND = {"LAKEHOUSE_SOURCE_USERNAME": "reader", "LAKEHOUSE_SOURCE_PASSWORD": "hunter2-not-told"}
PAIR = {"username": "reader", "password": "hunter2-not-told"}


@pytest.fixture(autouse=True)
def _identity() -> Iterator[None]:
    with identity():
        yield


def asked(endpoint: str, name: str, *, region: str | None = REGION, **changes: Any) -> AwsSecrets:
    name, _, key = name.partition("#")
    secret = AwsSecret.model_validate({"name": name, "key": key or None, "variables": LOGIN, **changes})
    return AwsSecrets(region=region, endpoint=endpoint, secrets=[secret])


def refusal(given: AwsSecrets) -> JobError:
    with pytest.raises(JobError) as caught:
        read(given)
    told = f"{caught.value.message} {caught.value!r}"
    assert "hunter2" not in told
    assert caught.value.code is ExitCode.UNAVAILABLE
    return caught.value


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        pytest.param(PAIR | {"engine": "postgres", "port": 5432}, "", id="a secret that the database rotates"),
        pytest.param({"db": PAIR, "other": {"username": "x"}}, "#db", id="an object under a key"),
        pytest.param({"db": '{"username": "reader", "password": "hunter2-not-told"}'}, "#db", id="a text with JSON"),
    ],
)
def test_the_keys_of_the_object_become_variables(aws: str, value: Any, reference: str) -> None:
    put_secret(aws, "unit/login", value)

    assert read(asked(aws, f"unit/login{reference}")) == FOUND


def test_an_arn_says_the_region_itself(aws: str) -> None:
    arn = put_secret(aws, "unit/by-arn", PAIR)

    assert read(asked(aws, arn, region=None)) == FOUND


@pytest.mark.parametrize(("value", "reference"), [("t0k3n", ""), ("t0k3n\n", ""), ({"api": "t0k3n"}, "#api")])
def test_one_text_is_the_only_key_that_is_needed(aws: str, value: Any, reference: str) -> None:
    put_secret(aws, "unit/token", value)

    given = asked(aws, f"unit/token{reference}", variables={"token": "LAKEHOUSE_SOURCE_TOKEN"})
    assert read(given) == {"LAKEHOUSE_SOURCE_TOKEN": "t0k3n"}


@pytest.mark.parametrize(
    ("value", "reference", "reason", "says"),
    [
        pytest.param("hunter2", "", "CredentialsInvalid", "is no JSON object", id="a text where two are needed"),
        pytest.param({"db": "hunter2"}, "#db", "CredentialsInvalid", "is no JSON object", id="the same under a key"),
        pytest.param("hunter2", "#db", "CredentialsInvalid", "has no key 'db'", id="a key of a text"),
        pytest.param({"a": "hunter2"}, "#db", "CredentialsMissing", "has no key 'db'", id="no such key"),
        pytest.param({"password": "hunter2"}, "", "CredentialsMissing", "no key 'username'", id="a needed key is gone"),
    ],
)
def test_a_secret_that_is_not_as_needed_is_named_without_its_value(
    aws: str, value: Any, reference: str, reason: str, says: str
) -> None:
    put_secret(aws, "unit/wrong", value)

    failure = refusal(asked(aws, f"unit/wrong{reference}", required=["username"]))

    assert failure.reason == reason
    assert "unit/wrong" in failure.message
    assert says in failure.message


def test_a_secret_that_does_not_exist_is_missing(aws: str) -> None:
    assert refusal(asked(aws, "unit/none")).reason == "CredentialsMissing"


@pytest.mark.parametrize(
    ("code", "status", "reason", "requests"),
    [
        ("AccessDeniedException", 400, "AccessDenied", 1),
        ("DecryptionFailure", 400, "AccessDenied", 1),
        ("ThrottlingException", 400, "CredentialsUnavailable", clients.ATTEMPTS),
        ("InternalServiceError", 500, "CredentialsUnavailable", clients.ATTEMPTS),
    ],
)
def test_a_refusal_of_the_service_has_its_reason(code: str, status: int, reason: str, requests: int) -> None:
    with refusing(code, status) as service:
        failure = refusal(asked(service.url, "unit/any"))

    assert failure.reason == reason
    assert code in failure.message
    assert len(service.asked) == requests


def test_a_service_that_cannot_be_reached_is_tried_again() -> None:
    failure = refusal(asked(f"http://127.0.0.1:{free_ports(1)[0]}", "unit/any"))

    assert failure.reason == "CredentialsUnavailable"
    assert "no answer" in failure.message


def test_a_pod_without_an_identity_is_told_how_to_get_one(aws: str) -> None:
    with identity(IDENTITY | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}):
        failure = refusal(asked(aws, "unit/any"))

    assert failure.reason == "AccessDenied"
    assert "driverAnnotations" in failure.message


def test_without_a_region_the_setting_is_named(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)

    assert "settings.secretsManager.region" in refusal(asked(aws, "unit/any", region=None)).message
