"""What watches bring: into the store, and the keys it concerns into the queue. Nothing here waits."""

from collections.abc import Callable

from lakehouse_operator.handlers.ledger import RunLedger
from lakehouse_operator.handlers.queue import WorkQueue
from lakehouse_operator.kube.endpoints import PODS
from lakehouse_operator.kube.store import Body, Key, Store
from lakehouse_operator.telemetry.metrics import Metrics

_DELETED = "DELETED"


class Intake:
    """Takes events of resources and of driver Pods."""

    def __init__(self, *, store: Store, queue: WorkQueue, ledger: RunLedger, metrics: Metrics) -> None:
        self._store = store
        self._queue = queue
        self._ledger = ledger
        self._metrics = metrics

    def resource(self, event: str | None, body: Body) -> None:
        """Take a resource of ours."""
        take = self._store.remove_resource if event == _DELETED else self._store.put_resource
        self._take(take, body, body["kind"])

    def driver(self, event: str | None, pod: Body) -> None:
        """Take a driver Pod; one that has finished makes room for another run."""
        take = self._store.remove_driver if event == _DELETED else self._store.put_driver
        self._take(take, pod, PODS.kind)
        self._ledger.settle()

    def _take(self, take: Callable[[Body], set[Key]], body: Body, kind: str) -> None:
        self._metrics.watch_events.labels(kind).inc()
        self._metrics.last_event.labels(kind).set_to_current_time()
        for key in take(body):
            self._queue.add(key)
