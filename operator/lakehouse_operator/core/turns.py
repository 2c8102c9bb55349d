"""The run machine: which slot runs next, what an active attempt has used up, what is skipped and why.

One attempt at a time per resource. Decided from the status, the driver Pods and the clock alone, so that a restart
at any moment comes to the same answer.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from lakehouse_api.schedule import ConcurrencyPolicy
from lakehouse_api.status import ActiveRun, Outcome, RetryWait, RunRecord, RunStatus
from lakehouse_operator.core import names
from lakehouse_operator.core.drivers import Driver, Phase, Verdict
from lakehouse_operator.core.history import attempts_of, garbage, mark_handled, skip
from lakehouse_operator.core.instants import format_time, parse_time
from lakehouse_operator.core.oversight import oversee
from lakehouse_operator.core.plan import Event, EventType, ObjectRef, Refusal
from lakehouse_operator.core.scene import Scene, Start, Turn
from lakehouse_operator.core.schedule import Due
from lakehouse_operator.core.settle import REPLACED, conclude, finish, refused_driver
from lakehouse_operator.core.slots import Slot
from lakehouse_operator.core.wishes import due_slots, next_slot, observed_schedule, wait_for, wanted_slot


def take_turn(scene: Scene) -> Turn:
    """Decide what happens next to a resource whose ended attempts are all in the status."""
    scene = replace(scene, status=_seen(scene))
    turn = oversee(scene) if scene.live else _while_idle(scene)
    status = turn.status.model_copy(update={"next_run_time": _next_text(scene)})
    prune = garbage(status, scene.drivers)
    return replace(turn, status=status, prune=prune, requeue_at=_earliest(turn.requeue_at, next_slot(scene)))


def hold(scene: Scene) -> Turn:
    """Start nothing, because the spec cannot be acted upon; what is alive is still watched over."""
    held = replace(scene, spec=scene.spec.model_copy(update={"suspend": True}))
    held = replace(held, status=_seen(held))
    if held.live:
        return oversee(held)
    return Turn(status=held.status.model_copy(update={"waiting": None, "next_run_time": None}))


def refuse(scene: Scene, start: Start, refusal: Refusal) -> Turn:
    """Count an attempt whose objects the cluster refused as one that failed; its ConfigMap goes."""
    verdict = Verdict(outcome=Outcome.FAILED, reason=refusal.reason, message=refusal.message)
    driver = refused_driver(scene, start, verdict)
    scene = replace(scene, status=_seen(scene))
    turn = conclude(scene, Turn(status=scene.status), driver)
    config_map = ObjectRef(kind="ConfigMap", name=start.run_id)
    wait = parse_time(turn.status.retry.not_before) if turn.status.retry else scene.now
    return replace(turn, prune=(config_map,), requeue_at=wait)


def begin(scene: Scene, start: Start) -> RunStatus:
    """Give the status of a resource whose next attempt is being launched."""
    active = ActiveRun(
        id=start.run_id,
        slot=start.slot.text,
        attempt=start.attempt,
        failures=start.failures,
        pod=names.driver_pod(start.run_id),
        phase=Phase.PENDING,
        started_at=format_time(scene.now),
        log=names.log_command(scene.resource, start.run_id),
    )
    status = mark_handled(scene.status, start.slot, scene.spec_hash)
    return status.model_copy(update={"active": [active], "retry": None, "waiting": None})


def _attempt(scene: Scene, slot: Slot, attempt: int, failures: int) -> Start:
    return Start(run_id=scene.run_id(slot, attempt), slot=slot, attempt=attempt, failures=failures)


def _seen(scene: Scene) -> RunStatus:
    """Bring the status up to what the cluster shows: the schedule in force, the attempts that are alive."""
    status = scene.status
    for driver in scene.live:
        status = mark_handled(status, Slot(text=driver.slot), driver.spec)
    before = {run.id: run for run in status.active}
    active = [_active(driver, before.get(driver.run_id), scene) for driver in scene.live]
    return status.model_copy(update={"active": active, "schedule": observed_schedule(scene)})


def _active(driver: Driver, before: ActiveRun | None, scene: Scene) -> ActiveRun:
    """Describe a live attempt; what a pending one waits for is its message."""
    stopping = before.stopping if before else None
    waits = f"{driver.waiting}: {driver.waiting_message}" if driver.waiting else ""
    return ActiveRun(
        id=driver.run_id,
        slot=driver.slot,
        attempt=driver.attempt,
        failures=driver.failures,
        pod=driver.pod,
        phase="Stopping" if stopping or driver.deleting else driver.phase,
        message=before.message if before and stopping else waits if driver.phase is Phase.PENDING else "",
        stopping=stopping,
        started_at=format_time(driver.created),
        log=names.log_command(scene.resource, driver.run_id),
    )


def _while_idle(scene: Scene) -> Turn:
    if scene.spec.suspend:
        return _while_suspended(scene)
    if scene.status.retry:
        return _retry(scene, scene.status.retry)
    wanted = wanted_slot(scene) or scene.backfill
    if wanted is None:
        return Turn(status=scene.status.model_copy(update={"waiting": None}))
    return _skip_passed(scene, wanted) or _skip_late(scene, wanted) or _start(scene, wanted)


def _while_suspended(scene: Scene) -> Turn:
    """Start nothing; report what passes."""
    status = scene.status.model_copy(update={"waiting": None})
    events: tuple[Event, ...] = ()
    message = "the resource is suspended"
    if scene.run_now:
        slot = Slot.run_now(scene.run_now)
        status = skip(status, slot=slot, first=slot, count=1, reason="Suspended", message=message, now=scene.now)
        events = (_skipped(slot, 1, "Suspended", message),)
    if due := due_slots(scene):
        slot, first = Slot.scheduled(due.latest), Slot.scheduled(due.first)
        status = skip(
            status, slot=slot, first=first, count=due.count, reason="Suspended", message=message, now=scene.now
        )
    return Turn(status=status, events=events)


def _retry(scene: Scene, retry: RetryWait) -> Turn:
    """Try the slot again when its wait is over, at once if the spec was changed; or give it up for a newer wish."""
    wanted = wanted_slot(scene)
    newer = wanted and (
        scene.run_now or scene.schedule is None or scene.spec.concurrency_policy is ConcurrencyPolicy.REPLACE
    )
    if wanted and newer:
        return _give_up(scene, retry, wanted)
    not_before = parse_time(retry.not_before)
    if scene.now < not_before and retry.spec == scene.spec_hash:
        waiting = (
            wait_for(scene, wanted, "PreviousRunRetrying", "the run before it is being tried again") if wanted else None
        )
        return Turn(status=scene.status.model_copy(update={"waiting": waiting}), requeue_at=not_before)
    return _launch(scene, _attempt(scene, Slot(text=retry.slot), retry.attempts + 1, retry.failures))


def _give_up(scene: Scene, retry: RetryWait, wanted: Slot) -> Turn:
    """End a slot that waits for its next attempt, because a newer one makes that attempt pointless.

    A slice of a backfill is no less wanted for that: it makes room, and comes again.
    """
    makes_room = Slot(text=retry.slot).slice_ is not None
    run_id = _attempt(scene, Slot(text=retry.slot), retry.attempts, retry.failures).run_id
    record = RunRecord(
        id=run_id,
        slot=retry.slot,
        outcome=Outcome.SKIPPED if makes_room else Outcome.FAILED,
        reason=REPLACED if makes_room else retry.reason,
        message=f"{retry.message}; not tried again because {wanted.text} came first",
        attempts=retry.attempts,
        spec=retry.spec,
        finished_at=format_time(scene.now),
        log=names.log_command(scene.resource, run_id),
    )
    turn = finish(scene, Turn(status=scene.status.model_copy(update={"retry": None})), record)
    return replace(turn, requeue_at=scene.now)


def _skip_passed(scene: Scene, wanted: Slot) -> Turn | None:
    """Record the slots that passed before the one that will run: of several missed slots the latest runs.

    A turn of its own: were it told in the same status as the launch, a crash between the two would lose it.
    """
    due = due_slots(scene) if wanted.instant else None
    if due is None or due.count == 1:
        return None
    last = _last_before(scene, due)
    reason, message = "Superseded", "a later slot was due by the time a run could start"
    first = Slot.scheduled(due.first)
    status = skip(
        scene.status, slot=last, first=first, count=due.count - 1, reason=reason, message=message, now=scene.now
    )
    return Turn(status=status, events=(_skipped(last, due.count - 1, reason, message),), requeue_at=scene.now)


def _last_before(scene: Scene, due: Due) -> Slot:
    if scene.schedule is None:
        raise ValueError("a due slot without a schedule")
    earlier = scene.schedule.due(after=due.first - timedelta(minutes=1), until=due.latest - timedelta(minutes=1))
    return Slot.scheduled(earlier.latest if earlier else due.first)


def _skip_late(scene: Scene, wanted: Slot) -> Turn | None:
    if wanted.instant is None or scene.now - wanted.instant <= scene.spec.starting_deadline:
        return None
    reason, message = "DeadlineMissed", "it could not start within spec.startingDeadline"
    status = skip(scene.status, slot=wanted, first=wanted, count=1, reason=reason, message=message, now=scene.now)
    status = status.model_copy(update={"waiting": None})
    return Turn(status=status, events=(_skipped(wanted, 1, reason, message),))


def _start(scene: Scene, wanted: Slot) -> Turn:
    attempt = attempts_of(scene.status, scene.drivers, wanted) + 1
    return _launch(scene, _attempt(scene, wanted, attempt, 0))


def _launch(scene: Scene, start: Start) -> Turn:
    if not scene.room:
        waiting = wait_for(
            scene, start.slot, "MaxActiveRuns", "as many runs are active as the operator's settings allow"
        )
        return Turn(status=scene.status.model_copy(update={"waiting": waiting}))
    status = begin(scene, start)
    message = f"started {start.run_id} for {start.slot.text}"
    started = Event(type=EventType.NORMAL, reason="RunStarted", message=message)
    return Turn(status=status, start=start, events=(started,))


def _next_text(scene: Scene) -> str | None:
    """Say when the next slot comes due; nothing while it would not run."""
    following = None if scene.spec.suspend else next_slot(scene)
    return format_time(following) if following else None


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((instant for instant in instants if instant), default=None)


def _skipped(slot: Slot, count: int, reason: str, message: str) -> Event:
    which = slot.text if count == 1 else f"{count} slots up to {slot.text}"
    return Event(type=EventType.WARNING, reason="SlotSkipped", message=f"{which}: {reason}: {message}")
