"""What the run machine looks at and what it answers; the same for every kind that runs on a schedule."""

from dataclasses import dataclass
from datetime import datetime

from lakehouse_api.annotations import RUN_NOW
from lakehouse_api.schedule import Scheduled
from lakehouse_api.status import RunRecord, RunStatus
from lakehouse_operator.core import names
from lakehouse_operator.core.drivers import Driver
from lakehouse_operator.core.plan import Event, ObjectRef
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.schedule import Schedule
from lakehouse_operator.core.slots import Slot


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything a turn depends on."""

    resource: Resource
    run_prefix: str
    spec: Scheduled
    spec_hash: str
    """Of the part of the spec that a run depends on: suspending or keeping more history changes nothing."""
    schedule: Schedule | None
    status: RunStatus
    drivers: tuple[Driver, ...]
    missing: frozenset[str]
    """Driver Pods of status.active that no longer exist."""
    room: bool
    now: datetime
    backfill: Slot | None = None
    """The slice of a backfill that comes next, when nothing else is wanted."""

    @property
    def live(self) -> tuple[Driver, ...]:
        """The attempts that have not ended."""
        return tuple(driver for driver in self.drivers if driver.verdict is None)

    @property
    def run_now(self) -> str | None:
        """The run-now token that has not been handled yet."""
        token = self.resource.annotations.get(RUN_NOW)
        return token if token and token != self.status.last_handled_run_now else None

    def run_id(self, slot: Slot, attempt: int) -> str:
        """Give the name of an attempt."""
        return names.run_id(
            prefix=self.run_prefix, resource=self.resource, slot=slot.text, slot_key=slot.key, attempt=attempt
        )


@dataclass(frozen=True, kw_only=True)
class Start:
    """The attempt to launch."""

    run_id: str
    slot: Slot
    attempt: int
    failures: int


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What the run machine wants: a Plan without the parts only the kind knows, its Launch and its conditions."""

    status: RunStatus
    settled: tuple[RunRecord, ...] = ()
    start: Start | None = None
    stop: tuple[ObjectRef, ...] = ()
    release: tuple[ObjectRef, ...] = ()
    prune: tuple[ObjectRef, ...] = ()
    events: tuple[Event, ...] = ()
    requeue_at: datetime | None = None
