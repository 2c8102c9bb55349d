"""How a resource names a secret: by reference, never by value."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_snake

from lakehouse_api.model import Model, rules

AWS_NAME: Final = (
    r"^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}(#[A-Za-z0-9_.-]{1,253})?$"
)
_EITHER: Final = "credentials need exactly one of secretRef or awsSecret"


class SecretName(Model):
    """A Kubernetes Secret in the resource's own namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class Credentials(Model):
    """Where a job finds the credentials of a store or a source: exactly one of secretRef or awsSecret.

    Of a store the keys are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, optionally, AWS_SESSION_TOKEN. Without
    credentials the job uses the identity of its Pod.
    """

    model_config = ConfigDict(json_schema_extra=rules(("has(self.secretRef) != has(self.awsSecret)", _EITHER)))

    secret_ref: SecretName | None = None
    aws_secret: Annotated[
        str | None,
        Field(
            max_length=1024,
            pattern=AWS_NAME,
            description="Name or ARN of a secret of AWS Secrets Manager, which the job reads under its own role: a "
            "JSON object with the keys of a Secret. With #key, those of the object under that key.",
        ),
    ] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.secret_ref is None) == (self.aws_secret is None):
            raise ValueError(_EITHER)
        return self

    @property
    def aws_name(self) -> str | None:
        """Give the name or ARN of the secret of AWS, without the key."""
        return self.aws_secret.partition("#")[0] if self.aws_secret else None


class SecretsManager(Model):
    """How the jobs of an environment reach AWS Secrets Manager."""

    region: Annotated[str | None, Field(description="Absent: that of the secret's ARN, else of the job's Pod.")] = None
    endpoint: Annotated[str | None, Field(description="URL of the service, such as a VPC endpoint's; absent: AWS.")] = (
        None
    )


class AwsSecret(Model):
    """A secret that a job reads by itself, and where it puts the values of its keys."""

    name: Annotated[str, Field(description="Name or ARN.")]
    key: Annotated[str | None, Field(description="Key of its object that holds the credentials.")] = None
    variables: Annotated[dict[str, str], Field(description="Variable of the environment, by key.")]
    required: Annotated[list[str], Field(description="Keys without which the job cannot begin.")] = []


class AwsSecrets(SecretsManager):
    """Everything that a job reads from AWS Secrets Manager."""

    secrets: list[AwsSecret]


SOURCE_VARIABLE: Final = "LAKEHOUSE_SOURCE_"
"""How the names of the environment variables begin that carry a source's credentials."""


def source_variable(key: str) -> str:
    """Give the variable of a key: clientId is in LAKEHOUSE_SOURCE_CLIENT_ID."""
    return f"{SOURCE_VARIABLE}{to_snake(key).upper()}"


@dataclass(frozen=True, kw_only=True)
class SecretUse:
    """One key of a secret that a job reads, and the environment variable that carries it."""

    credentials: Credentials
    key: str
    variable: str
    optional: bool = True


def uses_of(credentials: Credentials | None, keys: Iterable[str]) -> tuple[SecretUse, ...]:
    """Give a use of each key; none of them must exist, for the job can say better than a Pod what it lacks."""
    if credentials is None:
        return ()
    return tuple(SecretUse(credentials=credentials, key=key, variable=source_variable(key)) for key in keys)
