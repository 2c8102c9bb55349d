"""How a resource names a secret: by reference, never by value."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field
from pydantic.alias_generators import to_snake

from lakehouse_api.model import Model


class SecretName(Model):
    """A Kubernetes Secret in the resource's own namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class Credentials(Model):
    """Where a job finds the credentials of a store.

    The Secret's keys are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, optionally, AWS_SESSION_TOKEN.
    Without credentials the job uses the identity of its Pod.
    """

    secret_ref: SecretName


SOURCE_VARIABLE: Final = "LAKEHOUSE_SOURCE_"
"""How the names of the environment variables begin that carry a source's credentials into the Pod."""


@dataclass(frozen=True, kw_only=True)
class SecretUse:
    """One key of a Secret that a job reads, and the environment variable that the kubelet puts it into."""

    secret: str
    key: str
    optional: bool = True

    @property
    def variable(self) -> str:
        """Give the variable: clientId is in LAKEHOUSE_SOURCE_CLIENT_ID."""
        return f"{SOURCE_VARIABLE}{to_snake(self.key).upper()}"


def uses_of(credentials: Credentials | None, keys: Iterable[str]) -> tuple[SecretUse, ...]:
    """Give a use of each key; none of them must exist, for the job can say better than a Pod what it lacks."""
    return tuple(SecretUse(secret=credentials.secret_ref.name, key=key) for key in keys) if credentials else ()
