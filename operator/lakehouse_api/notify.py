"""Whom to tell when a promise is broken and when it is kept again: Slack, any HTTPS endpoint, an SNS topic."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from lakehouse_api.model import ATOMIC, Model, rules
from lakehouse_api.secrets import SecretName

CHANNELS = 8
"""More people than a list of this length reaches are behind a topic."""
TOPIC = r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$"


class SecretKey(SecretName):
    """One key of a Secret in the resource's own namespace."""

    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]


class Slack(Model):
    """An incoming webhook of Slack; its URL is a secret, for whoever has it can post."""

    secret_ref: Annotated[SecretKey, Field(description="Where the URL of the incoming webhook is.")]


class Signing(Model):
    """How the receiver knows that a message is ours."""

    secret_ref: Annotated[SecretKey, Field(description="The shared secret: whsec_ and base64, or any text.")]


class Webhook(Model):
    """An HTTPS endpoint that takes a JSON document by POST."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("has(self.url) != has(self.secretRef)", "webhook needs exactly one of url or secretRef")
        )
    )

    url: Annotated[str | None, Field(max_length=2048, pattern=r"^https?://[^\s]+$")] = None
    secret_ref: Annotated[SecretKey | None, Field(description="Where the URL is, if it is a secret.")] = None
    signing: Annotated[Signing | None, Field(description="Sign each message with HMAC-SHA256.")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.url is None) == (self.secret_ref is None):
            raise ValueError("webhook needs exactly one of url or secretRef")
        return self


class Sns(Model):
    """A topic of Amazon SNS, published to under the operator's own identity; the settings say who may name it."""

    topic_arn: Annotated[str, Field(max_length=512, pattern=TOPIC)]
    region: Annotated[str | None, Field(max_length=64, description="Default: the one in the ARN.")] = None


class Channel(Model):
    """One receiver of messages: exactly one of slack, webhook or sns."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "[has(self.slack), has(self.webhook), has(self.sns)].filter(x, x).size() == 1",
                "a channel is exactly one of slack, webhook or sns",
            )
        )
    )

    slack: Slack | None = None
    webhook: Webhook | None = None
    sns: Sns | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(one is not None for one in (self.slack, self.webhook, self.sns)) != 1:
            raise ValueError("a channel is exactly one of slack, webhook or sns")
        return self

    @property
    def kind(self) -> str:
        """Name the kind: the field that is set."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)


Notify = Annotated[
    list[Channel],
    Field(
        max_length=CHANNELS,
        description="Whom to tell when spec.sla is broken and when it is kept again, once each.",
        json_schema_extra=ATOMIC,
    ),
]
