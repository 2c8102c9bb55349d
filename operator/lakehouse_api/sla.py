"""What a resource promises of its runs, and what is known of the promises: for every kind that runs on a schedule."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from lakehouse_api.model import ATOMIC, Model, mapped_by, rules
from lakehouse_api.quantities import Duration
from lakehouse_api.status import Time

BY_CHANNEL = mapped_by("channel")
BREACHES = 20
"""Breaches a status remembers at most; the oldest that have ended go first."""


class Promise(StrEnum):
    """The fields of spec.sla."""

    FRESHNESS = "freshness"
    MAX_DURATION = "maxDuration"


def _positive(limit: timedelta) -> timedelta:
    if not limit:
        raise ValueError("a limit of nothing is always passed")
    return limit


_SOMETHING = rules(("self.matches('[1-9]')", "a limit of nothing is always passed"))
Limit = Annotated[Duration, AfterValidator(_positive)]


class Sla(Model):
    """Limits within which a resource must stay; judged by the operator, whether or not a run ever starts."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("has(self.freshness) || has(self.maxDuration)", "sla needs freshness, maxDuration or both")
        )
    )

    freshness: Annotated[
        Limit | None,
        Field(description="How old what is known to be in the table may become.", json_schema_extra=_SOMETHING),
    ] = None
    max_duration: Annotated[
        Limit | None,
        Field(
            description="How long one run may take, all of its attempts and the waits between them.",
            json_schema_extra=_SOMETHING,
        ),
    ] = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.freshness is None and self.max_duration is None:
            raise ValueError("sla needs freshness, maxDuration or both")
        return self


class Breach(Model):
    """One time that a promise was broken: open until it is kept again, remembered until everybody knows."""

    promise: Promise
    reason: Annotated[str, Field(description="FreshnessExceeded or DurationExceeded.")]
    slot: Annotated[str | None, Field(description="The run that takes too long.")] = None
    limit: Annotated[str, Field(description="What was promised when it was broken.")]
    since: Annotated[Time, Field(description="When the limit was passed.")]
    until: Annotated[Time | None, Field(description="When the promise was kept again; absent while it is broken.")] = (
        None
    )
    notified: Annotated[
        list[str], Field(max_length=64, json_schema_extra=ATOMIC, description="Channels that know of the breach.")
    ] = []
    recovery_notified: Annotated[
        list[str], Field(max_length=64, json_schema_extra=ATOMIC, description="Channels that know of its end.")
    ] = []


class Undelivered(Model):
    """A message that a channel has not taken yet; it is tried again."""

    channel: str
    id: Annotated[str, Field(description="Of the message; a receiver that gets it twice can tell by it.")]
    attempts: int
    not_before: Time
    reason: str
    message: str = ""


class RunningSlot(Model):
    """The run that is active or waits for its next attempt."""

    slot: str
    since: Annotated[Time, Field(description="When its first attempt was launched.")]


class SlaStatus(Model):
    """What is known of the promises, so that a new leader of the operators goes on where the last one was."""

    fresh_as_of: Annotated[
        Time | None, Field(description="Up to when the table is known to hold what its source had.")
    ] = None
    judged_since: Annotated[
        Time | None, Field(description="When the promises were made, or the resource was last resumed.")
    ] = None
    last_recovery_time: Time | None = None
    running: RunningSlot | None = None
    breaches: Annotated[list[Breach], Field(max_length=BREACHES, json_schema_extra=ATOMIC)] = []
    undelivered: Annotated[list[Undelivered], Field(max_length=64, json_schema_extra=BY_CHANNEL)] = []
