"""Delivering in the background: what takes long, or fails, holds up no reconcile.

The courier remembers nothing that matters: what was delivered counts once a reconcile has put it into the status, and
what was not is handed to it again.
"""

import asyncio
import logging
import traceback
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

from lakehouse_operator.core.notices import Delivery, Failure, Notice
from lakehouse_operator.delivery.errors import DeliveryError

AT_ONCE = 32
"""Deliveries under way: a receiver that does not answer holds up others little."""
K = TypeVar("K", bound=Hashable)
Send = Callable[[str, Notice], Awaitable[None]]
_log = logging.getLogger(__name__)


class Courier(Generic[K]):
    """Takes notices by the key of their resource. `leads` says whether this process may still speak for the cluster."""

    def __init__(
        self,
        *,
        send: Send,
        wake: Callable[[K], None],
        leads: Callable[[], bool],
        clock: Callable[[], datetime],
        count: Callable[[str, str], None],
    ) -> None:
        self._send = send
        self._wake = wake
        self._leads = leads
        self._clock = clock
        self._count = count
        self._room = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[tuple[K, str], asyncio.Task[None]] = {}
        self._ended: defaultdict[K, tuple[Delivery, ...]] = defaultdict(tuple)

    def take(self, key: K, namespace: str, notices: Iterable[Notice]) -> None:
        """Deliver each of these, unless the channel is being told something, or the end of that is not known yet."""
        for notice in notices:
            place = (key, notice.channel_id)
            open_end = any(one.channel_id == notice.channel_id for one in self.deliveries(key))
            if place not in self._under_way and not open_end:
                self._under_way[place] = asyncio.create_task(self._deliver(key, namespace, notice))

    def deliveries(self, key: K) -> tuple[Delivery, ...]:
        """Give the deliveries that ended and are not known to be in the status."""
        return self._ended.get(key, ())

    def noted(self, key: K, deliveries: Iterable[Delivery]) -> None:
        """Forget what is in the status now."""
        known = set(deliveries)
        left = tuple(one for one in self.deliveries(key) if one not in known)
        if left:
            self._ended[key] = left
        else:
            self._ended.pop(key, None)

    def forget(self, key: K) -> None:
        """Forget a resource that is gone; what is under way goes on."""
        self._ended.pop(key, None)

    async def drain(self, seconds: float) -> None:
        """Let what is under way end, but not for longer than this; what is cut off another process says again."""
        tasks = list(self._under_way.values())
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()

    async def _deliver(self, key: K, namespace: str, notice: Notice) -> None:
        try:
            async with self._room:
                if self._leads():
                    self._note(key, notice, await self._attempt(namespace, notice))
        finally:
            del self._under_way[key, notice.channel_id]
        self._wake(key)

    async def _attempt(self, namespace: str, notice: Notice) -> Failure | None:
        try:
            await self._send(namespace, notice)
        except DeliveryError as error:
            return error.failure
        except Exception as error:  # noqa: BLE001 - whatever it is, the reconciles go on and it is tried again
            return _bug(error)
        return None

    def _note(self, key: K, notice: Notice, failure: Failure | None) -> None:
        self._count(notice.channel.kind, failure.reason if failure else "delivered")
        if failure:
            told = {"channel": notice.channel_id, "reason": failure.reason, "error": failure.message}
            _log.warning("notice not delivered", extra={"notice": notice.message.id, **told})
        delivery = Delivery(
            message_id=notice.message.id,
            channel_id=notice.channel_id,
            attempt=notice.attempt,
            at=self._clock(),
            failure=failure,
        )
        self._ended[key] = (*self._ended[key], delivery)


def _bug(error: Exception) -> Failure:
    """Log where it happened, but not what the error says: it may repeat a URL that is a secret."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename}:{place.lineno}"
    _log.error("a notice met a fault of the operator", extra={"error": type(error).__name__, "where": where})
    return Failure(reason="Unexpected", message=f"a fault of the operator ({type(error).__name__}); see its log")
