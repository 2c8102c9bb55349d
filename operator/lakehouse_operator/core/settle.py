"""Taking the result of ended attempts into the status, before anything else happens to their resource."""

from dataclasses import replace
from datetime import datetime, timedelta

from lakehouse_api.schedule import Retry
from lakehouse_api.status import ActiveRun, Outcome, RetryWait, RunRecord, RunStatus
from lakehouse_operator.core import names
from lakehouse_operator.core.drivers import Driver, Phase, Verdict
from lakehouse_operator.core.history import mark_handled, remember
from lakehouse_operator.core.instants import format_time
from lakehouse_operator.core.plan import Event, EventType, ObjectRef
from lakehouse_operator.core.scene import Scene, Start, Turn
from lakehouse_operator.core.slots import Slot

REPLACED = "Replaced"


def settle(scene: Scene) -> Turn | None:
    """Record every attempt that has ended; None if there is none.

    A driver is released only in a turn whose status holds its result.
    """
    ended = [driver for driver in scene.drivers if driver.verdict and driver.held] + _lost(scene)
    if not ended:
        return None
    turn = Turn(status=scene.status)
    for driver in sorted(ended, key=lambda one: (one.created, one.attempt)):
        turn = _forget(turn, driver) if _recorded(turn.status, driver) else conclude(scene, turn, driver)
    release = tuple(ObjectRef(kind="Pod", name=driver.pod) for driver in ended if driver.held)
    return replace(turn, release=release, requeue_at=scene.now)


def conclude(scene: Scene, turn: Turn, driver: Driver) -> Turn:
    """Record one ended attempt: the end of its slot, or a wait for the next attempt."""
    asked = next((run for run in turn.status.active if run.id == driver.run_id), None)
    verdict = _as_asked(driver, asked)
    failures = driver.failures + (verdict.outcome is Outcome.FAILED and verdict.counts)
    status = mark_handled(turn.status, Slot(text=driver.slot), driver.spec)
    others = [run for run in status.active if run.id != driver.run_id]
    status = status.model_copy(update={"active": others, "retry": None, "waiting": None})
    if verdict.outcome is Outcome.FAILED and verdict.retried and failures < scene.spec.retry.max_attempts:
        retry = _retry(scene, driver, verdict, failures)
        event = _event(EventType.WARNING, "AttemptFailed", f"{driver.run_id}: {verdict.reason}: {verdict.message}")
        return replace(turn, status=status.model_copy(update={"retry": retry}), events=(*turn.events, event))
    record = _record(scene, driver, verdict)
    return finish(scene, replace(turn, status=status), record)


def finish(scene: Scene, turn: Turn, record: RunRecord) -> Turn:
    """End a slot: remember it and tell."""
    status = remember(turn.status, record, scene.spec.history)
    if record.outcome is not Outcome.SKIPPED and not Slot(text=record.slot).slice_:
        status = status.model_copy(update={"last_run": record})
    if record.outcome is Outcome.SUCCEEDED and Slot(text=record.slot).reads_new:
        status = status.model_copy(update={"last_success_time": record.finished_at})
    kind = EventType.NORMAL if record.outcome is Outcome.SUCCEEDED else EventType.WARNING
    event = _event(kind, f"Run{record.outcome}", f"{record.id}: {record.reason}: {record.message}")
    return replace(turn, status=status, settled=(*turn.settled, record), events=(*turn.events, event))


def backoff(retry: Retry, attempts: int, seed: str) -> timedelta:
    """Give the wait after an attempt: doubled each time, capped, then shortened by up to half.

    The jitter comes from the attempt's name, so that the same attempt always gets the same wait.
    """
    longest: timedelta = min(retry.backoff * 2 ** min(attempts - 1, 30), retry.max_backoff)
    return longest * (1 - int(names.digest(seed, length=4), 16) / 0xFFFF / 2)


def refused_driver(scene: Scene, start: Start, verdict: Verdict) -> Driver:
    """Stand in for a driver Pod that the cluster did not let be."""
    return _absent(
        scene,
        run_id=start.run_id,
        slot=start.slot.text,
        attempt=start.attempt,
        failures=start.failures,
        verdict=verdict,
    )


def _lost(scene: Scene) -> list[Driver]:
    """Stand in for the driver Pods that vanished with their result."""
    verdict = Verdict(
        outcome=Outcome.FAILED,
        reason="DriverLost",
        message="the driver's Pod vanished and its result with it; the next attempt takes over what it committed",
    )
    return [
        _absent(scene, run_id=run.id, slot=run.slot, attempt=run.attempt, failures=run.failures, verdict=verdict)
        for run in scene.status.active
        if run.pod in scene.missing
    ]


def _absent(scene: Scene, *, run_id: str, slot: str, attempt: int, failures: int, verdict: Verdict) -> Driver:
    return Driver(
        run_id=run_id,
        pod=names.driver_pod(run_id),
        slot=slot,
        attempt=attempt,
        failures=failures,
        spec=scene.spec_hash,
        created=scene.now,
        started=None,
        ended=scene.now,
        phase=Phase.ENDED,
        waiting="",
        waiting_message="",
        gone_by=scene.now,
        held=False,
        verdict=verdict,
    )


def _recorded(status: RunStatus, driver: Driver) -> bool:
    """Tell whether the status holds the driver's result already: the operator died before it released the Pod."""
    if status.retry and status.retry.slot == driver.slot and driver.attempt <= status.retry.attempts:
        return True
    records = (*status.history, *((status.last_run,) if status.last_run else ()))
    return any(record.slot == driver.slot and driver.attempt <= record.attempts for record in records)


def _forget(turn: Turn, driver: Driver) -> Turn:
    """Drop a recorded attempt that is active again: an operator whose clock is behind saw a lost driver as alive."""
    active = [run for run in turn.status.active if run.id != driver.run_id]
    return replace(turn, status=turn.status.model_copy(update={"active": active}))


def _as_asked(driver: Driver, asked: ActiveRun | None) -> Verdict:
    """Give the operator's own reason to an attempt that it stopped, unless it had succeeded by then."""
    verdict = driver.verdict
    if verdict is None:
        raise ValueError(f"{driver.run_id} has not ended")
    if asked is None or asked.stopping is None or verdict.outcome is Outcome.SUCCEEDED:
        return verdict
    if asked.stopping == REPLACED:
        return replace(verdict, outcome=Outcome.SKIPPED, reason=REPLACED, message=asked.message)
    return replace(verdict, reason=asked.stopping, message=asked.message, counts=True, retried=True)


def _retry(scene: Scene, driver: Driver, verdict: Verdict, failures: int) -> RetryWait:
    ended = driver.ended or scene.now
    return RetryWait(
        slot=driver.slot,
        attempts=driver.attempt,
        failures=failures,
        not_before=format_time(ended + backoff(scene.spec.retry, driver.attempt, driver.run_id)),
        spec=driver.spec,
        reason=verdict.reason,
        message=verdict.message,
    )


def _record(scene: Scene, driver: Driver, verdict: Verdict) -> RunRecord:
    return RunRecord(
        id=driver.run_id,
        slot=driver.slot,
        outcome=verdict.outcome,
        reason=verdict.reason,
        message=verdict.message,
        attempts=driver.attempt,
        spec=driver.spec,
        started_at=_text(driver.started),
        finished_at=format_time(driver.ended or scene.now),
        metrics=dict(verdict.result.metrics) if verdict.result else {},
        expectations=list(verdict.result.expectations) if verdict.result else [],
        catalog=verdict.result.catalog if verdict.result else None,
        report=verdict.result.report if verdict.result else None,
        log=names.log_command(scene.resource, driver.run_id),
        log_tail=verdict.log_tail,
    )


def _text(instant: datetime | None) -> str | None:
    return format_time(instant) if instant else None


def _event(kind: EventType, reason: str, message: str) -> Event:
    return Event(type=kind, reason=reason, message=message)
