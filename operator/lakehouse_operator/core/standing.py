"""How a resource stands: its conditions, from its status and what is wrong with its spec."""

from collections.abc import Callable
from dataclasses import dataclass

from lakehouse_api.status import Outcome
from lakehouse_operator.core.conditions import Judgement, not_ready, ready, reconciling, stalled, unproven
from lakehouse_operator.core.scene import Scene
from lakehouse_operator.core.slots import Slot


@dataclass(frozen=True, kw_only=True)
class Violation:
    """Why a resource cannot be acted upon until a person changes something."""

    reason: str
    message: str


Judge = Callable[[Scene], list[Judgement]]


def of_violation(violation: Violation) -> list[Judgement]:
    """Judge a resource whose spec cannot be acted upon."""
    return [not_ready(violation.reason, violation.message), stalled(violation.reason, violation.message)]


def of_scene(scene: Scene) -> list[Judgement]:
    """Judge a resource by how its last finished run ended and by what is under way."""
    return [_ready(scene), *_reconciling(scene), *_stalled(scene)]


def _ready(scene: Scene) -> Judgement:
    last = scene.status.last_run
    if last is None:
        return unproven(*_under_way(scene))
    if last.outcome is Outcome.SUCCEEDED:
        return ready(last.reason, "the last run succeeded")
    return not_ready(last.reason, last.message)


def _under_way(scene: Scene) -> tuple[str, str]:
    """Say what a resource that has never finished a run is doing."""
    status = scene.status
    if status.retry:
        return status.retry.reason, status.retry.message
    if status.active:
        run = status.active[0]
        return f"Run{run.phase}", run.message or "the first run has not ended"
    if status.waiting:
        return status.waiting.reason, status.waiting.message
    if scene.spec.suspend:
        return "Suspended", "the resource is suspended and has not run yet"
    return "NotRunYet", "the first run has not started"


def _reconciling(scene: Scene) -> list[Judgement]:
    status = scene.status
    if status.retry and not Slot(text=status.retry.slot).slice_:
        return [reconciling("Retrying", f"{status.retry.reason}: {status.retry.message}")]
    if scene.spec.suspend and not status.active:
        return []
    proven = status.last_run is not None and status.last_run.spec == scene.spec_hash
    return [] if proven else [reconciling("Unproven", "this spec has not finished a run yet")]


def _stalled(scene: Scene) -> list[Judgement]:
    """A resource without a schedule whose only run failed for good waits for a person."""
    status, last = scene.status, scene.status.last_run
    pending = scene.schedule or status.retry or status.active or status.waiting or scene.run_now
    if pending or last is None or last.outcome is not Outcome.FAILED or last.spec != scene.spec_hash:
        return []
    return [stalled(last.reason, f"{last.message} (change the spec, or annotate lakehouse.dev/run-now)")]
