"""Backfills: what the annotation asks for, cut into slices, and how far they have come.

Each slice is a run of its own, and what is due otherwise goes first: the schedule is not held up by more than a slice.
"""

from dataclasses import dataclass, replace
from typing import Any

from lakehouse_api.annotations import BACKFILL
from lakehouse_api.backfill import BackfillRange, BackfillRequest, BackfillState, BackfillStatus
from lakehouse_api.ingest_pipeline import IngestPipelineSpec, IngestPipelineStatus
from lakehouse_api.status import Outcome, RunRecord
from lakehouse_operator.core.backfill_slices import is_number, slices_of
from lakehouse_operator.core.instants import format_time
from lakehouse_operator.core.names import digest
from lakehouse_operator.core.plan import Event, EventType
from lakehouse_operator.core.scene import Scene, Turn
from lakehouse_operator.core.slots import Slot

_SHOWN = 512
"""Characters of an annotation that the status shows."""

_MESSAGE = 900
_COUNTS = {"rows_read": "rowsRead", "rows_written": "rowsWritten", "rows_quarantined": "rowsQuarantined"}


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """A scene with what is to be done of a backfill, and what there is to tell of it."""

    scene: Scene
    events: tuple[Event, ...] = ()


def notice(scene: Scene, spec: IngestPipelineSpec) -> Noticed:
    """Take up the annotation; what it asks for is the scene's to do when nothing else is due."""
    known = known_of(scene)
    now = _noticed(known, scene, spec)
    if now is None:
        return Noticed(scene=scene)
    status = scene.status.model_copy(update={"backfill": now})
    slot = Slot.of_slice(now.id, now.slices_done + 1) if now.state is BackfillState.RUNNING else None
    if status.retry and Slot(text=status.retry.slot).slice_ and status.retry.slot != (slot and slot.text):
        status = status.model_copy(update={"retry": None})
    events = () if known and (known.id, known.state) == (now.id, now.state) else (_told(now),)
    return Noticed(scene=replace(scene, status=status, backfill=slot), events=events)


def backfill_id(text: str) -> str:
    """Give the name under which the status and the slots of its slices know an annotation."""
    return digest(text, length=8)


def known_of(scene: Scene) -> BackfillStatus | None:
    """Give the backfill that the status knows."""
    return scene.status.backfill if isinstance(scene.status, IngestPipelineStatus) else None


def _noticed(known: BackfillStatus | None, scene: Scene, spec: IngestPipelineSpec) -> BackfillStatus | None:
    text, now = scene.resource.annotations.get(BACKFILL), format_time(scene.now)
    if not text:
        return _withdrawn(known, now) if known and known.state is BackfillState.RUNNING else known
    asked = backfill_id(text)
    if known and known.id == asked:
        return known
    fresh = BackfillStatus(id=asked, request=text[:_SHOWN], state=BackfillState.RUNNING, asked_at=now)
    try:
        slices = slices_asked(text, spec)
    except ValueError as error:
        return _ended(
            fresh,
            BackfillState.REFUSED,
            reason="BackfillInvalid",
            message=f"the annotation {BACKFILL} cannot be used: {error}",
            now=now,
        )
    return _counted(fresh.model_copy(update={"slices": len(slices)}))


def slices_asked(text: str, spec: IngestPipelineSpec) -> list[BackfillRange]:
    """Read an annotation; raise ValueError, which says why, if a pipeline cannot be asked for that."""
    return slices_of(_fitting(BackfillRequest.read(text), spec))


def _fitting(request: BackfillRequest, spec: IngestPipelineSpec) -> BackfillRequest:
    """Raise ValueError for what this source cannot be asked for."""
    kind = spec.source.kind
    if kind in {"jdbc", "rest"} and spec.incremental is None:
        raise ValueError("every run reads the whole source; only with spec.incremental there is a range to read again")
    if request.prefix and kind != "files":
        raise ValueError(f"prefix chooses among files, and the source is {kind}; give from and until")
    if kind != "jdbc" and is_number(request.from_ or ""):
        raise ValueError(f"from {request.from_} is a number, and what the source {kind} has is known by its time")
    return request


def _withdrawn(known: BackfillStatus, now: str) -> BackfillStatus:
    message = f"the annotation was removed; {known.slices_done} of {known.slices} slices had been read"
    return _ended(known, BackfillState.WITHDRAWN, reason="Withdrawn", message=message, now=now)


def range_of(scene: Scene, slot: Slot) -> BackfillRange | None:
    """Give what a slot reads again; None: it reads what is new."""
    text = scene.resource.annotations.get(BACKFILL)
    if slot.slice_ is None or text is None:
        return None
    return slices_of(BackfillRequest.read(text))[slot.slice_[1] - 1]


def keep_backfill(turn: Turn, scene: Scene) -> Turn:
    """Take what ended slices did into the status."""
    known, events = known_of(replace(scene, status=turn.status)), turn.events
    for record in turn.settled:
        slot = Slot(text=record.slot).slice_
        if known is None or known.state is not BackfillState.RUNNING or slot != (known.id, known.slices_done + 1):
            continue
        known = _after(known, record)
        events = events if known.state is BackfillState.RUNNING else (*events, _told(known))
    return replace(turn, status=turn.status.model_copy(update={"backfill": known}), events=events) if known else turn


def _after(known: BackfillStatus, record: RunRecord) -> BackfillStatus:
    """Add one slice; one that was replaced by a newer slot is done again."""
    if record.outcome is Outcome.SKIPPED:
        return known
    if record.outcome is Outcome.FAILED:
        message = f"slice {known.slices_done + 1} of {known.slices}: {record.message}"
        return _ended(known, BackfillState.FAILED, reason=record.reason, message=message, now=record.finished_at)
    counts: dict[str, Any] = {name: getattr(known, name) + _count(record, each) for name, each in _COUNTS.items()}
    aged = record.metrics.get("offsetsAged")
    notes = f"{known.message} Aged out: {aged}.".strip() if aged else known.message
    known = _counted(known.model_copy(update={**counts, "slices_done": known.slices_done + 1, "message": notes}))
    if known.slices_done < known.slices:
        return known
    total = f"{known.rows_written} rows written, {known.rows_quarantined} quarantined. {notes}".strip()
    message = record.message if known.slices == 1 else total
    return _ended(known, BackfillState.SUCCEEDED, reason="Backfilled", message=message, now=record.finished_at)


def _count(record: RunRecord, metric: str) -> int:
    value = record.metrics.get(metric)
    return int(value) if isinstance(value, int | float) else 0


def _counted(known: BackfillStatus) -> BackfillStatus:
    return known.model_copy(update={"progress": f"{known.slices_done}/{known.slices}"})


def _ended(known: BackfillStatus, state: BackfillState, *, reason: str, message: str, now: str) -> BackfillStatus:
    update = {"state": state, "reason": reason, "message": message[:_MESSAGE], "finished_at": now}
    return known.model_copy(update=update)


def _told(known: BackfillStatus) -> Event:
    bad = known.state in {BackfillState.FAILED, BackfillState.REFUSED}
    shown = known.request if len(known.request) < _SHOWN else f"{known.request[:60]}..."
    message = f"{shown}: {known.reason}: {known.message}" if known.reason else f"{shown}: {known.slices} slices"
    reason = "BackfillStarted" if known.state is BackfillState.RUNNING else f"Backfill{known.state}"
    return Event(type=EventType.WARNING if bad else EventType.NORMAL, reason=reason, message=message)
