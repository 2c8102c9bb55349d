"""Credentials from AWS Secrets Manager, as the variables of the environment that a Secret's would be in.

Nothing here tells a value: not in a log, an error, or the representation of an object.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from lakehouse_api.secrets import AwsSecret, AwsSecrets
from lakehouse_jobs.aws.clients import DENIED, NO_IDENTITY, client
from lakehouse_jobs.failures import JobError, unavailable

_ARN_REGION: Final = 3
_GONE: Final = ("ResourceNotFoundException", "InvalidRequestException")
_REFUSED: Final = (*DENIED, "DecryptionFailure")


def read(asked: AwsSecrets) -> dict[str, str]:
    """Read every secret, each once, and give the values by variable.

    Raises:
        JobError: CredentialsMissing, CredentialsInvalid, AccessDenied or CredentialsUnavailable; a person or time can
            mend each while the run is retried.
    """
    found: dict[str, str] = {}
    for secret in asked.secrets:
        found |= _variables(secret, _text(secret, asked))
    return found


def _text(secret: AwsSecret, asked: AwsSecrets) -> str | None:
    from botocore import exceptions  # noqa: PLC0415 (loaded by the jobs that need it)

    region = secret.name.split(":")[_ARN_REGION] if secret.name.startswith("arn:") else asked.region
    try:
        service = client("secretsmanager", region=region, endpoint=asked.endpoint)
        text: str | None = service.get_secret_value(SecretId=secret.name).get("SecretString")
    except exceptions.ClientError as error:
        raise _refusal(secret.name, error.response) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise unavailable("AccessDenied", f"secret {secret.name!r}: {NO_IDENTITY}") from error
    except exceptions.NoRegionError as error:
        raise unavailable(
            "CredentialsUnavailable",
            f"secret {secret.name!r}: no region is known. Set settings.secretsManager.region, or name the ARN.",
        ) from error
    except exceptions.BotoCoreError as error:
        raise unavailable(
            "CredentialsUnavailable",
            f"secret {secret.name!r}: AWS Secrets Manager gives no answer ({type(error).__name__}). Check that "
            f"{asked.endpoint or 'the service'} can be reached from the Pod; the run is tried again.",
        ) from error
    return text


def _refusal(name: str, response: Mapping[str, Any]) -> JobError:
    code = response["Error"]["Code"]
    if code in _GONE:
        return unavailable(
            "CredentialsMissing",
            f"secret {name!r}: AWS Secrets Manager has none of that name, or it is being deleted ({code}). Create it, "
            "or correct awsSecret; the next attempt reads it.",
        )
    if code in _REFUSED:
        return unavailable(
            "AccessDenied",
            f"secret {name!r}: the job's role may not read it ({code}). Allow secretsmanager:GetSecretValue, and "
            "kms:Decrypt if it has a key of its own, to the role of the driver's service account.",
        )
    return unavailable(
        "CredentialsUnavailable", f"secret {name!r}: AWS Secrets Manager answers {code}. The run is tried again."
    )


def _variables(secret: AwsSecret, text: str | None) -> dict[str, str]:
    values = _values(secret, text)
    missing = [key for key in secret.required if not values.get(key)]
    if missing:
        raise unavailable(
            "CredentialsMissing",
            f"secret {_told(secret)} has no key {', '.join(map(repr, missing))}. Add it; the next attempt reads it.",
        )
    return {variable: values[key] for key, variable in secret.variables.items() if key in values}


def _values(secret: AwsSecret, text: str | None) -> dict[str, str]:
    """Give the values by key; a secret that is one text is the only key that is asked for."""
    found = _object(text)
    if secret.key is not None:
        if found is None:
            raise _invalid(secret.name, f"is no JSON object, so it has no key {secret.key!r}")
        if secret.key not in found:
            raise unavailable(
                "CredentialsMissing",
                f"secret {secret.name!r} has no key {secret.key!r}. Add it, or correct awsSecret; the next attempt "
                "reads it.",
            )
        text, found = _as_text(found[secret.key]), _object(found[secret.key])
    if found is None and len(secret.variables) == 1 and text:
        found = dict.fromkeys(secret.variables, text.rstrip("\r\n"))  # a file often ends with its line
    if found is None:
        raise _invalid(_told(secret), f"is no JSON object; the source needs {', '.join(secret.variables)} in one")
    return {key: told for key, value in found.items() if (told := _as_text(value)) is not None}


def _object(value: Any) -> dict[str, Any] | None:
    """Give an object as it is, or as it is written in a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _told(secret: AwsSecret) -> str:
    return repr(f"{secret.name}#{secret.key}" if secret.key else secret.name)


def _invalid(told: str, what: str) -> JobError:
    return unavailable("CredentialsInvalid", f"secret {told} {what}. Correct it; the next attempt reads it.")
