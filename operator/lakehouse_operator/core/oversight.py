"""Watching over live attempts: each ends when its time is used up, or when it must make room."""

from datetime import datetime, timedelta

from lakehouse_api.schedule import ConcurrencyPolicy
from lakehouse_api.status import ActiveRun
from lakehouse_operator.core.drivers import Driver, Phase
from lakehouse_operator.core.plan import ObjectRef
from lakehouse_operator.core.scene import Scene, Turn
from lakehouse_operator.core.settle import REPLACED
from lakehouse_operator.core.slots import Slot
from lakehouse_operator.core.wishes import wait_for, wanted_slot

KUBELET_GRACE = timedelta(minutes=2)
"""How long the kubelet may take to end an attempt at its timeout before the operator does."""


def oversee(scene: Scene) -> Turn:
    """Watch over the live attempts: end what has used up its time, or must make room; let due slots wait."""
    wanted = None if scene.spec.suspend else wanted_slot(scene)
    active = [
        _overseen(run, driver, wanted, scene) for run, driver in zip(scene.status.active, scene.live, strict=True)
    ]
    stored = {run.id for run in scene.status.active if run.stopping}
    stop = tuple(_pod(driver) for driver in scene.live if driver.run_id in stored and not driver.deleting)
    waiting = wait_for(scene, wanted, "PreviousRunActive", "the run before it has not ended") if wanted else None
    status = scene.status.model_copy(update={"active": active, "waiting": waiting})
    asked = any(run.stopping and run.id not in stored for run in active)
    deadline = min(driver.gone_by or _deadline(driver, scene) for driver in scene.live)
    return Turn(status=status, stop=stop, requeue_at=scene.now if asked else deadline)


def _overseen(run: ActiveRun, driver: Driver, wanted: Slot | None, scene: Scene) -> ActiveRun:
    """Note in the status why an attempt is to be ended; the next turn, which finds it stored, ends it."""
    if run.stopping or driver.deleting:
        return run
    reason, message = _end_of(driver, wanted, scene)
    if not reason:
        return run
    return run.model_copy(update={"stopping": reason, "message": message, "phase": "Stopping"})


def _end_of(driver: Driver, wanted: Slot | None, scene: Scene) -> tuple[str, str]:
    spec = scene.spec
    if wanted and spec.concurrency_policy is ConcurrencyPolicy.REPLACE:
        return REPLACED, f"slot {wanted.text} came due and replaced it"
    if scene.now < _deadline(driver, scene):
        return "", ""
    if driver.phase is Phase.PENDING:
        reason = driver.waiting or "StartTimedOut"
        return reason, driver.waiting_message or "the driver did not start within spec.startTimeout"
    return "TimedOut", "the attempt ran longer than spec.timeout allows and its node did not end it"


def _deadline(driver: Driver, scene: Scene) -> datetime:
    if driver.started is None:
        return driver.created + scene.spec.start_timeout
    return driver.started + scene.spec.timeout + KUBELET_GRACE


def _pod(driver: Driver) -> ObjectRef:
    return ObjectRef(kind="Pod", name=driver.pod)
