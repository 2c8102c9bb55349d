"""One reconcile: observe, decide, carry out. What goes wrong with one key concerns no other."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from lakehouse_operator.core import names
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.plan import Event, EventType, Plan
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.delivery.courier import Courier
from lakehouse_operator.handlers.lease import LeadershipLostError
from lakehouse_operator.handlers.ledger import RunLedger
from lakehouse_operator.handlers.queue import WorkQueue
from lakehouse_operator.handlers.register import Registration
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import PODS, RESOURCES
from lakehouse_operator.kube.errors import ClusterError, ConflictError, NotFoundError, RejectedError
from lakehouse_operator.kube.execute import Emit, Executor, GoneError, RefusedError, StaleError
from lakehouse_operator.kube.store import Body, Key, Store, owner_uid
from lakehouse_operator.telemetry.log import bound
from lakehouse_operator.telemetry.metrics import Metrics

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 300.0
STALE_ROUNDS = 5
_log = logging.getLogger(__name__)


class Reconciler:
    """Works off the keys of the queue. Many workers may run `work` at once; a key is with one of them only."""

    def __init__(
        self,
        *,
        config: Config,
        registrations: Mapping[str, Registration],
        client: Client,
        store: Store,
        queue: WorkQueue,
        ledger: RunLedger,
        executor: Executor,
        courier: Courier[Key],
        emit: Emit,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._config = config
        self._registrations = registrations
        self._client = client
        self._store = store
        self._queue = queue
        self._ledger = ledger
        self._executor = executor
        self._courier = courier
        self._emit = emit
        self._clock = clock
        self._metrics = metrics
        self._failures: dict[Key, int] = {}

    async def work(self) -> None:
        """Work off keys until the queue is closed.

        Raises:
            LeadershipLostError: this process must end.
        """
        while (key := await self._queue.get()) is not None:
            try:
                with bound(kind=key.kind, namespace=key.namespace, name=key.name):
                    await self._guarded(key)
            finally:
                self._queue.done(key)

    async def _guarded(self, key: Key) -> None:
        """Reconcile a key; a failure is counted, logged and tried again later, by this key alone."""
        with self._metrics.reconcile_seconds.labels(key.kind).time():
            try:
                await self.reconcile(key)
            except LeadershipLostError:
                raise
            except RejectedError as error:  # what we wrote makes no sense to the server
                self._met_bug(key, error)
            except ClusterError as error:
                self._retry(key, "unavailable", error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other resources go on
                self._met_bug(key, error)
            else:
                self._failures.pop(key, None)
                self._metrics.reconciles.labels(key.kind, "done").inc()

    async def reconcile(self, key: Key) -> None:
        """Bring one resource a step further, as often as its picture turns out to be stale."""
        for _ in range(STALE_ROUNDS):
            try:
                await self._round(key)
            except StaleError:
                continue  # what it was granted it keeps
            except GoneError:
                self._forget(key)
                return
            else:
                return
        self._ledger.release(key)
        self._queue.schedule(key, FIRST_BACKOFF_SECONDS)

    async def _round(self, key: Key) -> None:
        body = self._store.resource(key)
        await self._release_orphans(key, body)
        if body is None:
            self._forget(key)
        elif "deletionTimestamp" in body["metadata"]:
            self._forget(key)
            await self._wind_down(key, body)
        else:
            await self._advance(key, Resource.read(body))

    async def _advance(self, key: Key, resource: Resource) -> None:
        """Decide as if there were room for a run; only a launch needs it, and only a launch stands in line for it."""
        kind = self._registrations[key.kind]
        seen = await kind.observe(self._client, self._store, resource)
        deliveries = self._courier.deliveries(key)
        seen = replace(seen, deliveries=deliveries) if deliveries else seen
        plan = kind.reconcile(resource, seen, self._clock(), self._config)
        if plan.launch is None:
            self._ledger.release(key)
        elif not self._ledger.acquire(key):
            plan = kind.reconcile(resource, replace(seen, room=False), self._clock(), self._config)
        if plan.launch is not None:  # it may fail, and must not hold up what is to be said
            self._courier.take(key, resource.namespace, plan.notices)
        plan = await self._carry_out(key, kind, resource, seen, plan)
        self._courier.noted(key, deliveries)
        self._courier.take(key, resource.namespace, plan.notices)

    async def _carry_out(self, key: Key, kind: Registration, resource: Resource, seen: Any, plan: Plan) -> Plan:
        """Carry out a plan, or the one that takes its refusal into account; answers which."""
        try:
            await self._executor.carry_out(resource, plan)
        except RefusedError as refused:
            self._metrics.refusals.labels(key.kind, refused.refusal.reason).inc()
            _log.warning("launch refused", extra={"reason": refused.refusal.reason, "error": refused.refusal.message})
            self._ledger.release(key)
            if kind.refused is None:
                raise
            plan = kind.refused(resource, seen, self._clock(), self._config, refused.refusal)
            await self._executor.carry_out(resource, plan)
        if plan.launch is not None:
            self._metrics.launches.labels(key.kind).inc()
            _log.info("launched", extra={"run": plan.launch.run_id})
            self._ledger.release(key)
        self._queue.schedule(key, plan.requeue_after.total_seconds() if plan.requeue_after is not None else None)
        return plan

    async def _release_orphans(self, key: Key, body: Body | None) -> None:
        """Let go the driver Pods of a resource that is gone: no status is left that could take their result.

        The garbage collector would delete them, in its own time; a Pod whose owner was taken away runs on, as wanted.
        """
        uid = body["metadata"]["uid"] if body is not None else None
        orphans = [pod for pod in self._store.drivers(key) if _held(pod) and (uid is None or owner_uid(pod) != uid)]
        for pod in orphans:
            owner = owner_uid(pod)
            if owner is None:
                await self._executor.release(key.namespace, pod["metadata"]["name"])
            elif await self._is_gone(key, owner):
                await self._end(pod)

    async def _is_gone(self, key: Key, uid: str) -> bool:
        """Ask the cluster, not the store, whether the owner of a Pod is gone."""
        if key.kind not in RESOURCES:
            return False
        try:
            live = await self._client.get(RESOURCES[key.kind], key.namespace, key.name)
        except NotFoundError:
            return True
        self._store.put_resource(live)
        return bool(live["metadata"]["uid"] != uid)

    async def _wind_down(self, key: Key, body: Body) -> None:
        """End the runs of a resource that is being deleted but still there, held by a finalizer.

        The finalizer `orphan` is Kubernetes' own: whoever deletes wants what the resource owns to live on.
        """
        orphaned = "orphan" in body["metadata"].get("finalizers", ())
        for pod in self._store.drivers(key):
            if owner_uid(pod) != body["metadata"]["uid"] or not _held(pod):
                continue
            if orphaned:
                await self._executor.release(key.namespace, pod["metadata"]["name"])
            else:
                await self._end(pod)

    async def _end(self, pod: Body) -> None:
        metadata = pod["metadata"]
        try:
            await self._client.delete(PODS, metadata["namespace"], metadata["name"], uid=metadata["uid"])
        except (NotFoundError, ConflictError):
            return
        await self._executor.release(metadata["namespace"], metadata["name"])

    def _forget(self, key: Key) -> None:
        self._ledger.release(key)
        self._courier.forget(key)
        self._queue.schedule(key, None)

    def _retry(self, key: Key, result: str, error: Exception) -> None:
        self._ledger.release(key)
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        wait = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(failures - 1, 20))
        wait *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, nothing secret
        self._queue.schedule(key, wait)
        self._metrics.reconciles.labels(key.kind, result).inc()
        _log.warning("reconcile will be tried again", extra={"error": str(error), "wait": round(wait, 1)})

    def _met_bug(self, key: Key, error: Exception) -> None:
        _log.error("reconcile failed", exc_info=error)
        self._retry(key, "error", error)
        body = self._store.resource(key)
        if body is None:
            return
        message = f"the operator met a fault of its own ({type(error).__name__}); its log has the details"
        self._emit(Resource.read(body), Event(type=EventType.WARNING, reason="ReconcileFailed", message=message))


def _held(pod: Body) -> bool:
    return names.DRIVER_FINALIZER in (pod["metadata"].get("finalizers") or ())
