"""When a resource runs and how often it may fail: the part common to every scheduled kind."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lakehouse_api.model import Model
from lakehouse_api.quantities import Duration


class ConcurrencyPolicy(StrEnum):
    """What happens to a slot that comes due while another run of the same resource is active."""

    FORBID = "Forbid"
    REPLACE = "Replace"


class Retry(Model):
    """How often one slot is tried and how long it waits between failures."""

    max_attempts: Annotated[int, Field(ge=1, le=20, description="Failures after which the slot is given up.")] = 3
    backoff: Annotated[Duration, Field(description="Wait after the first failure; doubles with each further one.")] = (
        timedelta(seconds=30)
    )
    max_backoff: Annotated[Duration, Field(description="The longest wait between two attempts.")] = timedelta(
        minutes=10
    )


class HistoryLimits(Model):
    """How many finished runs keep their Pod, their logs and their place in the status."""

    successful: Annotated[int, Field(ge=0, le=50)] = 3
    failed: Annotated[int, Field(ge=0, le=50)] = 3


class Scheduled(Model):
    """The fields of a spec that decide when it runs."""

    schedule: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=128,
            description="Cron expression of five fields. Absent: one run for each change of the spec.",
        ),
    ] = None
    time_zone: Annotated[
        str,
        Field(min_length=1, max_length=64, description="IANA name of the zone in which the schedule is read."),
    ] = "Etc/UTC"
    concurrency_policy: Annotated[
        ConcurrencyPolicy,
        Field(description="Forbid: a due slot waits for the active run. Replace: it ends the active run first."),
    ] = ConcurrencyPolicy.FORBID
    starting_deadline: Annotated[
        Duration, Field(description="A slot missed for longer than this is skipped and reported.")
    ] = timedelta(hours=1)
    suspend: Annotated[
        bool, Field(description="Start no runs. A run that is active goes on; slots that pass are reported as Skipped.")
    ] = False
    timeout: Annotated[Duration, Field(description="How long one attempt may run.")] = timedelta(hours=2)
    start_timeout: Annotated[Duration, Field(description="How long an attempt may wait for its driver to start.")] = (
        timedelta(minutes=10)
    )
    retry: Retry = Retry()
    history: HistoryLimits = HistoryLimits()
