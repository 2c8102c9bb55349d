"""What a resource wants to run: the slots of its schedule, a person's token, a changed spec."""

from datetime import datetime

from lakehouse_api.status import ObservedSchedule, Waiting
from lakehouse_operator.core.instants import format_time, parse_time
from lakehouse_operator.core.scene import Scene
from lakehouse_operator.core.schedule import Due
from lakehouse_operator.core.slots import Slot


def observed_schedule(scene: Scene) -> ObservedSchedule | None:
    """Give the schedule in force and since when it counts."""
    if scene.schedule is None:
        return None
    known, spec = scene.status.schedule, scene.spec
    expression = scene.schedule.expression
    if known and (known.expression, known.time_zone) == (expression, spec.time_zone):
        return known
    since = scene.now if known else scene.resource.created
    return ObservedSchedule(expression=expression, time_zone=spec.time_zone, since=format_time(since))


def due_slots(scene: Scene) -> Due | None:
    """Give the slots of the schedule that have come due and were neither run nor skipped."""
    if scene.schedule is None or scene.status.schedule is None:
        return None
    since = parse_time(scene.status.schedule.since)
    last = scene.status.last_scheduled_slot
    after = max(since, parse_time(last)) if last else since
    return scene.schedule.due(after=after, until=scene.now)


def wanted_slot(scene: Scene) -> Slot | None:
    """Give the slot that should run once nothing is active: what a person asked for, then what is due."""
    if scene.run_now:
        return Slot.run_now(scene.run_now)
    if scene.schedule is None:
        return Slot.of_spec(scene.spec_hash) if scene.status.last_handled_spec != scene.spec_hash else None
    due = due_slots(scene)
    return Slot.scheduled(due.latest) if due else None


def wait_for(scene: Scene, slot: Slot, reason: str, message: str) -> Waiting:
    """Say what a slot waits for, and since when it has."""
    before = scene.status.waiting
    same = before is not None and (before.slot, before.reason) == (slot.text, reason)
    since = before.since if before and same else format_time(scene.now)
    return Waiting(slot=slot.text, reason=reason, message=message, since=since)


def next_slot(scene: Scene) -> datetime | None:
    """Give the next slot of the schedule."""
    return scene.schedule.next_after(scene.now) if scene.schedule else None
