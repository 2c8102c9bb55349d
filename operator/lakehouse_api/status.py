"""What every kind tells of itself: conditions, the active attempt, the runs that ended."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from lakehouse_api.catalog import CatalogResult
from lakehouse_api.enforcement import ExpectationResult
from lakehouse_api.model import ATOMIC, Model, mapped_by

UTC = {"format": "date-time"}
BY_TYPE = mapped_by("type")
BY_ID = mapped_by("id")

Time = Annotated[str, Field(json_schema_extra=UTC)]


class Condition(Model):
    """One judgement of the resource, in the sense of kstatus."""

    type: Annotated[str, Field(max_length=64)]
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")]
    reason: Annotated[str, Field(max_length=128)]
    message: Annotated[str, Field(max_length=4096)] = ""
    observed_generation: int
    last_transition_time: Time


class Outcome(StrEnum):
    """How a slot, or one attempt of it, ended."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class ActiveRun(Model):
    """An attempt whose driver Pod exists and has not been judged yet."""

    id: str
    slot: str
    attempt: int
    failures: Annotated[int, Field(description="Failed attempts of the slot before this one.")] = 0
    pod: str
    phase: Annotated[str, Field(description="Pending, Running or Stopping.")]
    message: Annotated[str, Field(description="What a pending driver waits for.")] = ""
    stopping: Annotated[str | None, Field(description="Why the operator ends this attempt.")] = None
    started_at: Time
    log: Annotated[str, Field(description="The command that prints the driver's log.")]


class RetryWait(Model):
    """A slot that failed and will be tried again."""

    slot: str
    attempts: Annotated[int, Field(description="Attempts made, counting those that do not count as failures.")]
    failures: int
    not_before: Time
    spec: Annotated[str, Field(description="Hash of the spec that failed; another one is tried at once.")]
    reason: str
    message: str = ""


class Waiting(Model):
    """A slot that is due and cannot start yet."""

    slot: str
    reason: str
    message: str
    since: Time


class RunRecord(Model):
    """A slot that ended: its last attempt, or why it was skipped."""

    id: Annotated[str, Field(description="Of the last attempt; for a skipped slot, skip-<slot>.")]
    slot: str
    outcome: Outcome
    reason: str
    message: str = ""
    attempts: int = 0
    spec: Annotated[str | None, Field(description="Hash of the spec that ran.")] = None
    started_at: Time | None = None
    finished_at: Time
    metrics: Annotated[dict[str, Any], Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})] = {}
    expectations: Annotated[list[ExpectationResult], Field(json_schema_extra=ATOMIC)] = []
    catalog: Annotated[
        CatalogResult | None, Field(description="How the tables stand in the catalogue, if there is one.")
    ] = None
    report: Annotated[str | None, Field(description="Where the full report of the run lies.")] = None
    log: Annotated[str | None, Field(description="The command that prints the driver's log.")] = None
    log_tail: Annotated[str | None, Field(description="The end of the driver's log when the job left no result.")] = (
        None
    )
    skipped: Annotated[int | None, Field(description="Slots that this record stands for, when more than one.")] = None
    first_slot: Annotated[str | None, Field(description="The first of those slots.")] = None


class ObservedSchedule(Model):
    """The schedule whose slots count, and since when: an edit does not make past times due."""

    expression: str
    time_zone: str
    since: Time


class RunStatus(Model):
    """The status every kind that runs has."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=BY_TYPE)] = []
    active: Annotated[list[ActiveRun], Field(max_length=16, json_schema_extra=BY_ID)] = []
    retry: RetryWait | None = None
    waiting: Waiting | None = None
    last_run: RunRecord | None = None
    last_success_time: Time | None = None
    schedule: ObservedSchedule | None = None
    last_scheduled_slot: Annotated[
        str | None, Field(description="The latest slot of the schedule that ran or was skipped.")
    ] = None
    last_handled_spec: Annotated[
        str | None, Field(description="Hash of the spec that the last one-shot run was for.")
    ] = None
    last_handled_run_now: str | None = None
    next_run_time: Annotated[str | None, Field(description="A string: a date column cannot print the future.")] = None
    history: Annotated[list[RunRecord], Field(max_length=120, json_schema_extra=ATOMIC)] = []
