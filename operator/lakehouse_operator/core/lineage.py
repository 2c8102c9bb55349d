"""What a run gets to tell of itself: the endpoint, the key for it, and attempts before it that could not tell."""

from itertools import takewhile

from lakehouse_api.lineage import KEY_VARIABLE, Lineage, Untold
from lakehouse_api.status import Outcome
from lakehouse_operator.core.application import SecretEnv
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.drivers import Driver
from lakehouse_operator.core.instants import format_time
from lakehouse_operator.core.scene import Scene
from lakehouse_operator.core.slots import Slot


def lineage_of(scene: Scene, config: Config) -> Lineage | None:
    """Give where a run tells what it reads and writes; None: nowhere."""
    settings = config.open_lineage
    return Lineage(endpoint=settings.endpoint, untold=_untold(scene)) if settings else None


def lineage_key(config: Config) -> tuple[SecretEnv, ...]:
    """Give the API key's variable. A run starts without it too: what cannot be told must not keep it."""
    key = config.open_lineage.secret_ref if config.open_lineage else None
    return (SecretEnv(name=KEY_VARIABLE, secret=key.name, key=key.key, optional=True),) if key else ()


def _untold(scene: Scene) -> list[Untold]:
    """Give the newest attempts that left no result, back to the last one that did: that one could tell of others.

    Of those whose Pods are gone, only the last one is known.
    """
    newest_first = sorted(scene.drivers, key=lambda one: (one.created, one.attempt), reverse=True)
    found = [_of_driver(driver, scene) for driver in takewhile(_left_nothing, newest_first)][::-1]
    last = _last(scene)
    return found if last is None or last.id in {driver.run_id for driver in newest_first} else [last, *found]


def _last(scene: Scene) -> Untold | None:
    """Give the last attempt that failed, unless it stored a report: then it had a result."""
    retry, record = scene.status.retry, scene.status.last_run
    if retry:
        return Untold(
            id=scene.run_id(Slot(text=retry.slot), retry.attempts),
            slot=retry.slot,
            attempt=retry.attempts,
            ended_at=format_time(scene.now),
            reason=retry.reason,
            message=retry.message,
        )
    if record is None or record.outcome is not Outcome.FAILED or record.report:
        return None
    return Untold(
        id=record.id,
        slot=record.slot,
        attempt=record.attempts,
        ended_at=record.finished_at,
        reason=record.reason,
        message=record.message,
    )


def _left_nothing(driver: Driver) -> bool:
    return driver.verdict is not None and driver.verdict.result is None


def _of_driver(driver: Driver, scene: Scene) -> Untold:
    """Tell of an attempt in the status's own words, which know what the operator did to it; else in the Pod's."""
    records = (record for record in scene.status.history if record.id == driver.run_id)
    retry = scene.status.retry
    waits = retry and (retry.slot, retry.attempts) == (driver.slot, driver.attempt)
    said = next(records, retry if waits else driver.verdict)
    return Untold(
        id=driver.run_id,
        slot=driver.slot,
        attempt=driver.attempt,
        ended_at=format_time(driver.ended or scene.now),
        reason=said.reason if said else "",
        message=said.message if said else "",
    )
