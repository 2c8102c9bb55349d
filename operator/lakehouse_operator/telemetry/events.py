"""Kubernetes events: told once, in the background, and never so many that they hide each other.

Events are for people. Losing one loses nothing, so they are posted without waiting and dropped when there are too many.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from lakehouse_operator.core.plan import Event
from lakehouse_operator.core.resource import Resource

COMPONENT = "lakehouse-operator"
WAITING_LIMIT = 2000
REMEMBERED = 10_000
_NOTE_LIMIT = 1024  # the API server refuses longer ones
_NAME_LIMIT = 200

Post = Callable[[str, dict[str, Any]], Awaitable[None]]
_log = logging.getLogger(__name__)


class EventRecorder:
    """Takes events at once, posts them one after another. The same event of the same resource is posted once."""

    def __init__(
        self, *, post: Post, clock: Callable[[], datetime], instance: str, dropped: Callable[[], None]
    ) -> None:
        self._post = post
        self._clock = clock
        self._instance = instance
        self._dropped = dropped
        self._queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(WAITING_LIMIT)
        self._told: OrderedDict[str, None] = OrderedDict()

    def emit(self, resource: Resource, event: Event) -> None:
        """Take an event, unless it was told before."""
        identity = _identity(resource, event)
        if identity in self._told:
            return
        self._told[identity] = None
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        try:
            self._queue.put_nowait((resource.namespace, self._manifest(resource, event, identity)))
        except asyncio.QueueFull:
            self._dropped()

    async def run(self) -> None:
        """Post what was taken, for ever."""
        while True:
            namespace, manifest = await self._queue.get()
            try:
                await self._post(namespace, manifest)
            except Exception as error:  # noqa: BLE001 - an event that cannot be posted must not end the operator
                _log.debug("event not posted", extra={"reason": manifest["reason"], "error": str(error)})
                self._dropped()
            finally:
                self._queue.task_done()

    async def flush(self) -> None:
        """Wait until everything taken so far is posted or dropped."""
        await self._queue.join()

    def _manifest(self, resource: Resource, event: Event, identity: str) -> dict[str, Any]:
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": f"{resource.name[:_NAME_LIMIT]}.{identity}", "namespace": resource.namespace},
            "eventTime": self._clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": COMPONENT,
            "reportingInstance": self._instance[:128],
            "type": str(event.type),
            "reason": event.reason,
            "action": "Reconcile",
            "note": event.message[:_NOTE_LIMIT],
            "regarding": {
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "name": resource.name,
                "namespace": resource.namespace,
                "uid": resource.uid,
                "resourceVersion": resource.resource_version,
            },
        }


def _identity(resource: Resource, event: Event) -> str:
    """Name an event by what it says of which generation, so that telling it again meets the first one."""
    text = "\n".join((resource.uid, str(resource.generation), event.type, event.reason, event.message))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
