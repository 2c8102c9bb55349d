"""How a resource names a secret: by reference, never by value."""

from typing import Annotated

from pydantic import Field

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
