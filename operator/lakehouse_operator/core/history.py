"""The runs a status remembers, and what of them may be deleted."""

from collections.abc import Iterable
from datetime import datetime

from lakehouse_api.schedule import HistoryLimits
from lakehouse_api.status import Outcome, RunRecord, RunStatus
from lakehouse_operator.core.drivers import Driver
from lakehouse_operator.core.instants import format_time, parse_time
from lakehouse_operator.core.plan import ObjectRef
from lakehouse_operator.core.slots import Slot

SKIPPED_LIMIT = 10


def remember(status: RunStatus, record: RunRecord, limits: HistoryLimits) -> RunStatus:
    """Put a record at the head of the history and drop what exceeds the limits."""
    kept: list[RunRecord] = []
    room = {Outcome.SUCCEEDED: limits.successful, Outcome.FAILED: limits.failed, Outcome.SKIPPED: SKIPPED_LIMIT}
    for one in (record, *status.history):
        if room[one.outcome] > 0:
            room[one.outcome] -= 1
            kept.append(one)
    return status.model_copy(update={"history": kept})


def skip(
    status: RunStatus, *, slot: Slot, first: Slot, count: int, reason: str, message: str, now: datetime
) -> RunStatus:
    """Record that slots will not run; one record stands for a run of slots skipped for the same reason."""
    if slot.instant and (previous := _extended(status, reason)):
        count += previous.skipped or 1
        first = Slot(text=previous.first_slot or previous.slot)
        status = status.model_copy(update={"history": status.history[1:]})
    record = RunRecord(
        id=f"skip-{slot.key}",
        slot=slot.text,
        outcome=Outcome.SKIPPED,
        reason=reason,
        message=message,
        finished_at=format_time(now),
        skipped=count if count > 1 else None,
        first_slot=first.text if count > 1 else None,
    )
    return remember(mark_handled(status, slot), record, HistoryLimits(successful=50, failed=50))


def _extended(status: RunStatus, reason: str) -> RunRecord | None:
    """Give the newest record if it tells of slots skipped for the same reason up to the last one decided.

    A slot that ran after them may have no record: it waits for its next attempt, or the history keeps none.
    """
    newest = status.history[0] if status.history else None
    if newest is None or newest.outcome is not Outcome.SKIPPED or newest.reason != reason:
        return None
    return newest if newest.slot == status.last_scheduled_slot else None


def mark_handled(status: RunStatus, slot: Slot, spec_hash: str | None = None) -> RunStatus:
    """Note that a slot has been decided, so that it is never decided again.

    A run that a person asked for, given the spec it runs, is also the run that this spec was due, if it reads.
    """
    if slot.slice_ is not None:
        return status
    if slot.token is not None:
        reads = spec_hash and not slot.tends
        handled = {"last_handled_run_now": slot.token, **({"last_handled_spec": spec_hash} if reads else {})}
        return status.model_copy(update=handled)
    if slot.spec_hash is not None:
        return status.model_copy(update={"last_handled_spec": slot.spec_hash})
    last = status.last_scheduled_slot
    if last and slot.instant and parse_time(last) >= slot.instant:
        return status
    return status.model_copy(update={"last_scheduled_slot": slot.text})


def attempts_of(status: RunStatus, drivers: Iterable[Driver], slot: Slot) -> int:
    """Count the attempts that a slot has had, so that a name is never used twice."""
    recorded = (record.attempts for record in status.history if record.slot == slot.text)
    present = (driver.attempt for driver in drivers if driver.slot == slot.text)
    return max((*recorded, *present), default=0)


def garbage(status: RunStatus, drivers: Iterable[Driver]) -> tuple[ObjectRef, ...]:
    """Give the objects of ended attempts whose slot the status does not name any more."""
    named = {record.slot for record in status.history} | {run.slot for run in status.active}
    if status.retry:
        named.add(status.retry.slot)
    gone = [d for d in drivers if d.verdict and not d.held and not d.deleting and d.slot not in named]
    return tuple(ref for d in gone for ref in objects_of(d.run_id, d.pod))


def objects_of(run_id: str, pod: str) -> tuple[ObjectRef, ...]:
    """Name the two objects of an attempt."""
    return ObjectRef(kind="Pod", name=pod), ObjectRef(kind="ConfigMap", name=run_id)
