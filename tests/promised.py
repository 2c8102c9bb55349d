"""A resource with promises, as time passes and receivers take or refuse what they are told."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from lakehouse_api.notify import Channel
from lakehouse_api.sla import Breach, Sla, SlaStatus
from lakehouse_api.status import ActiveRun, Condition, Outcome, RetryWait, RunRecord, RunStatus
from lakehouse_operator.core.conditions import merge
from lakehouse_operator.core.instants import format_time
from lakehouse_operator.core.notices import Delivery, Failure, Notice
from lakehouse_operator.core.promises import Kept, Promised, keep
from tests import gen

WEBHOOK = {"webhook": {"url": "https://alerts.example.com/hook"}}
SLACK = {"slack": {"secretRef": {"name": "slack", "key": "url"}}}
ALLOWED = {"notifications": {"allowedHosts": ["alerts.example.com"]}}


@dataclass
class Told:
    """A resource that was created at `gen.NOW`, with the status as it is stored."""

    sla: dict[str, Any] | None = field(default_factory=lambda: {"freshness": "2h"})
    notify: list[dict[str, Any]] = field(default_factory=lambda: [WEBHOOK])
    now: datetime = gen.NOW
    suspended: bool = False
    run: RunStatus = field(default_factory=RunStatus)
    known: SlaStatus | None = None
    settings: dict[str, Any] = field(default_factory=lambda: ALLOWED)

    def look(self, *deliveries: Delivery) -> Kept:
        """Judge once and store what comes of it."""
        kept = self.judged(*deliveries)
        conditions = merge(self.run.conditions, kept.judgements, generation=1, now=self.now)
        self.run = self.run.model_copy(update={"conditions": conditions, "observed_generation": 1})
        self.known = SlaStatus.model_validate(kept.status.told()) if kept.status else None
        return kept

    def judged(self, *deliveries: Delivery) -> Kept:
        status = self.run.told() | ({"sla": self.known.told()} if self.known else {})
        promised = Promised(
            resource=replace(gen.pipeline(), created=gen.NOW, status=status),
            sla=Sla.model_validate(self.sla) if self.sla else None,
            notify=[Channel.model_validate(one) for one in self.notify],
            suspended=self.suspended,
            deliveries=deliveries,
            config=gen.config(**self.settings),
            now=self.now,
        )
        return keep(promised, status)

    def delivered(self, notice: Notice, failure: Failure | None = None) -> Delivery:
        return Delivery(
            message_id=notice.message.id,
            channel_id=notice.channel_id,
            attempt=notice.attempt,
            at=self.now,
            failure=failure,
        )

    def deliver(self, kept: Kept) -> Kept:
        """Have everybody take what there is to say."""
        return self.look(*map(self.delivered, kept.notices))

    def after(self, **duration: float) -> Kept:
        """Look again when time has passed."""
        self.now += timedelta(**duration)
        return self.look()

    # --- what runs do ------------------------------------------------------------------------------------------------

    def succeed(self, *, started: timedelta = timedelta(minutes=-1), **metrics: Any) -> None:
        """End a run well, now."""
        record = RunRecord(
            id="run",
            slot="2026-11-23T22:00:00Z",
            outcome=Outcome.SUCCEEDED,
            reason="Ingested",
            started_at=format_time(self.now + started),
            finished_at=format_time(self.now),
            metrics=metrics,
        )
        update = {"last_run": record, "last_success_time": record.finished_at, "active": [], "retry": None}
        self.run = self.run.model_copy(update=update)

    def fail(self) -> None:
        record = RunRecord(
            id="run",
            slot="2026-11-23T22:00:00Z",
            outcome=Outcome.FAILED,
            reason="StoreUnavailable",
            finished_at=format_time(self.now),
        )
        self.run = self.run.model_copy(update={"last_run": record, "active": [], "retry": None})

    def start(self, slot: str, attempt: int = 1) -> None:
        active = ActiveRun(
            id=f"{slot}-{attempt}",
            slot=slot,
            attempt=attempt,
            pod="pod",
            phase="Running",
            started_at=format_time(self.now),
            log="kubectl logs",
        )
        self.run = self.run.model_copy(update={"active": [active], "retry": None})

    def wait_for_retry(self, slot: str) -> None:
        retry = RetryWait(
            slot=slot, attempts=1, failures=1, not_before=format_time(self.now), spec="0", reason="DriverFailed"
        )
        self.run = self.run.model_copy(update={"active": [], "retry": retry})

    # --- what is to be seen ------------------------------------------------------------------------------------------

    @property
    def condition(self) -> Condition | None:
        return next((one for one in self.run.conditions if one.type == "SLAMet"), None)

    @property
    def breaches(self) -> list[Breach]:
        return self.known.breaches if self.known else []

    @property
    def open(self) -> list[str]:
        return [one.reason for one in self.breaches if one.until is None]


def types(kept: Kept) -> list[str]:
    """Give what is said, in order."""
    return [notice.message.document["type"] for notice in kept.notices]


def reasons(kept: Kept) -> list[str]:
    return [event.reason for event in kept.events]
