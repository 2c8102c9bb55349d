"""Looking at everything again from time to time: what a cut watch has lost, and what a crash has left behind."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lakehouse_operator.core import names
from lakehouse_operator.core.instants import parse_time
from lakehouse_operator.handlers.queue import WorkQueue
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS, PODS, RESOURCES, Endpoint
from lakehouse_operator.kube.errors import ClusterError, ConflictError, NotFoundError
from lakehouse_operator.kube.store import Body, Key, Store, owner_key
from lakehouse_operator.telemetry.metrics import Metrics

LEFT_BEHIND = timedelta(minutes=10)
"""A launch takes seconds: a ConfigMap without its Pod for this long belongs to none."""
GRACE_SECONDS = 5.0
"""What a watch has not brought after this time it will not bring."""
DEAF_AFTER = 2
"""Resyncs in a row that had to mend the same kind: its watch is dead."""
_BATCH = 20
_BATCH_PAUSE_SECONDS = 0.2
_RETRY_SECONDS = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Difference:
    """An object that the cluster has newer than the store, or that only the store has."""

    endpoint: Endpoint
    body: Body
    gone: bool


class Resync:
    """Lists what the watches should have brought, mends the store, and has every key looked at."""

    def __init__(
        self,
        *,
        client: Client,
        store: Store,
        queue: WorkQueue,
        namespaces: tuple[str, ...],
        interval: timedelta,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._store = store
        self._queue = queue
        self._scopes: tuple[str | None, ...] = namespaces or (None,)
        self._interval = interval
        self._clock = clock
        self._metrics = metrics
        self._mended_in_a_row: Counter[str] = Counter()

    def deaf(self) -> str | None:
        """Tell which kinds are not watched any more, although it looks so; None while all are."""
        kinds = sorted(kind for kind, times in self._mended_in_a_row.items() if times >= DEAF_AFTER)
        return f"the watch of {', '.join(kinds)} brings nothing" if kinds else None

    async def fill(self) -> None:
        """Fill the store before anything is decided, and have every key looked at.

        Raises:
            ClusterError: the cluster, or one of our kinds, cannot be listed.
        """
        async for difference in self._differences():
            self._mend(difference)
        for key in self._all_keys():
            self._queue.add(key)

    async def run(self) -> None:
        """Resync for ever; one that fails is tried again soon."""
        wait = self._interval.total_seconds()
        while True:
            await asyncio.sleep(wait)
            try:
                await self._once()
                wait = self._interval.total_seconds()
            except ClusterError as error:
                _log.warning("resync failed", extra={"error": str(error)})
                wait = _RETRY_SECONDS

    async def _once(self) -> None:
        differences = [difference async for difference in self._differences()]
        await asyncio.sleep(GRACE_SECONDS)
        mended = Counter(one.endpoint.kind for one in differences if self._mend(one))
        for kind in (*RESOURCES, PODS.kind):
            self._mended_in_a_row[kind] = self._mended_in_a_row[kind] + 1 if mended[kind] else 0
            self._metrics.repairs.labels(kind).inc(mended[kind])
        await self._sweep_config_maps()
        await self._look_at_all()

    async def _look_at_all(self) -> None:
        for number, key in enumerate(self._all_keys()):
            self._queue.add(key)
            if number % _BATCH == _BATCH - 1:
                await asyncio.sleep(_BATCH_PAUSE_SECONDS)  # what happens now must not wait behind all of them

    def _all_keys(self) -> set[Key]:
        return {*self._store.resources(), *map(owner_key, self._store.all_drivers())}

    async def _differences(self) -> AsyncIterator[_Difference]:
        for endpoint in (*RESOURCES.values(), PODS):
            known = {_place(body): body for body in self._known(endpoint)}
            async for body in self._listed(endpoint):
                known.pop(_place(body), None)
                if self._store.is_news(body, driver=endpoint is PODS):
                    yield _Difference(endpoint=endpoint, body=body, gone=False)
            for body in known.values():  # known before the list began, and not in it: a ghost
                yield _Difference(endpoint=endpoint, body=body, gone=True)

    def _known(self, endpoint: Endpoint) -> list[Body]:
        if endpoint is PODS:
            return list(self._store.all_drivers())
        bodies = (self._store.resource(key) for key in self._store.resources() if key.kind == endpoint.kind)
        return [body for body in bodies if body is not None]

    async def _listed(self, endpoint: Endpoint) -> AsyncIterator[Body]:
        labels = names.DRIVER_SELECTOR if endpoint is PODS else ""
        for scope in self._scopes:
            try:
                async for body in self._client.list(endpoint, scope, labels=labels):
                    yield body
            except NotFoundError as error:
                message = f"the cluster does not know {endpoint.plural} of {endpoint.api_version}: install the CRDs"
                raise NotFoundError(message) from error

    def _mend(self, difference: _Difference) -> bool:
        """Bring the store up to date, unless a watch has done so since; wake who is concerned."""
        put, remove = self._store.put_resource, self._store.remove_resource
        if difference.endpoint is PODS:
            put, remove = self._store.put_driver, self._store.remove_driver
        changed = remove(difference.body) if difference.gone else put(difference.body)
        for key in changed:
            self._queue.add(key)
        return bool(changed)

    async def _sweep_config_maps(self) -> None:
        """Delete the ConfigMaps of launches that were cut off before their Pod and never taken up again."""
        oldest = self._clock() - LEFT_BEHIND
        for scope in self._scopes:
            maps = self._client.list(CONFIG_MAPS, scope, labels=names.RUN_SELECTOR, metadata_only=True)
            old = [body async for body in maps if parse_time(body["metadata"]["creationTimestamp"]) < oldest]
            for body in old:
                await self._delete_without_pod(body)

    async def _delete_without_pod(self, body: Body) -> None:
        namespace, name = _place(body)
        if self._store.driver(namespace, names.driver_pod(name)) is not None:
            return
        try:
            await self._client.get(PODS, namespace, names.driver_pod(name))
        except NotFoundError:
            _log.info("deleting a ConfigMap without a driver", extra={"namespace": namespace, "configmap": name})
            await self._delete(body)

    async def _delete(self, body: Body) -> None:
        namespace, name = _place(body)
        try:
            await self._client.delete(CONFIG_MAPS, namespace, name, uid=body["metadata"]["uid"])
        except (NotFoundError, ConflictError):
            return


def _place(body: Body) -> tuple[str, str]:
    return body["metadata"]["namespace"], body["metadata"]["name"]
