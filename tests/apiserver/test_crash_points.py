"""A run from its start to its pruning, cut off after every single write, against a real API server.

Each cut takes place in a fresh namespace: the operator's parts are put together, work until the n-th write, and are
thrown away with all they knew; fresh ones go on from what the cluster holds. The end must be the same.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from lakehouse_api.annotations import RUN_NOW
from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.notices import Notice
from lakehouse_operator.delivery.courier import Courier
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.handlers.ledger import RunLedger
from lakehouse_operator.handlers.queue import WorkQueue
from lakehouse_operator.handlers.reconciler import Reconciler
from lakehouse_operator.handlers.register import REGISTRATIONS
from lakehouse_operator.kube.access import read_kubeconfig
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.execute import Executor
from lakehouse_operator.kube.store import Key, Store, key_of
from lakehouse_operator.telemetry.metrics import Metrics
from tests.apiserver.running import PIPELINES, SETTINGS, drivers, finish, pipeline
from tests.apiserver.test_crash import timeless, world
from tests.apiserver.world import temporary_namespace

pytestmark = pytest.mark.apiserver
NAME = "accounts"
SPEC: dict[str, Any] = {
    "history": {"successful": 1, "failed": 1},
    "retry": {"maxAttempts": 2},
    "timeout": "100h",
    "startTimeout": "100h",
}
FAILURE = {"outcome": "Failed", "reason": "SourceUnavailable", "message": "no answer", "retry": True}


class CutError(BaseException):
    """The process has died here; no handler may catch it."""


class Life:
    """The operator's parts from one start to one death, without watches: what happened is read before each look."""

    def __init__(self, client: Client, namespace: str, clock: Callable[[], datetime]) -> None:
        self._namespace = namespace
        self._client = client
        self._store = Store({kind: one.references for kind, one in REGISTRATIONS.items()})
        queue = WorkQueue()
        config = Config.model_validate(SETTINGS)
        metrics = Metrics()
        courier = Courier[Key](
            send=_nothing_to_tell, wake=queue.add, leads=lambda: True, clock=clock, count=metrics.count_notification
        )
        self._reconciler = Reconciler(
            config=config,
            registrations=REGISTRATIONS,
            client=client,
            store=self._store,
            queue=queue,
            ledger=RunLedger(limits=config.max_active_runs, store=self._store, wake=queue.add),
            courier=courier,
            executor=Executor(
                client=client, store=self._store, emit=lambda _resource, _event: None, wake=lambda _key: None
            ),
            emit=lambda _resource, _event: None,
            clock=clock,
            metrics=metrics,
        )

    async def look(self) -> None:
        body = await self._client.get(PIPELINES, self._namespace, NAME)
        self._store.put_resource(body)
        for pod in await drivers(self._client, self._namespace):
            self._store.put_driver(pod)
        await self._reconciler.reconcile(Key(*key_of(body)))


async def _nothing_to_tell(namespace: str, notice: Notice) -> None:
    raise AssertionError(f"{namespace} has nothing to say: {notice}")


class Operator:
    """Lives one after another; dies after a number of writes, once."""

    def __init__(self, control_plane: ControlPlane, namespace: str, cut_after: int | None) -> None:
        self._control_plane = control_plane
        self._namespace = namespace
        self._cut_after = cut_after
        self._hours = 0
        self.writes = 0

    def _clock(self) -> datetime:
        return utc_now() + timedelta(hours=self._hours)

    async def settle(self) -> None:
        """Look until nothing is written any more, an hour later each time."""
        self._hours += 1
        before = -1
        while before != self.writes:
            before = self.writes
            try:
                await self._live()
            except CutError:
                before = -1

    async def _live(self) -> None:
        async with Client(
            read_kubeconfig(self._control_plane.kubeconfig), guard=lambda: None, count=self._count
        ) as client:
            life = Life(client, self._namespace, self._clock)
            for _ in range(3):
                await life.look()

    def _count(self, verb: str, code: int) -> None:
        """Die as soon as a write has been made, before anybody hears of it."""
        if verb == "GET" or code >= 300:
            return
        self.writes += 1
        if self.writes == self._cut_after:
            raise CutError


async def story(control_plane: ControlPlane, client: Client, namespace: str, cut_after: int | None) -> tuple[int, Any]:
    """Live two runs, the first at its second try, with one cut; answers the writes it took and what is left."""
    operator = Operator(control_plane, namespace, cut_after)
    await client.create(PIPELINES, namespace, pipeline(NAME, **SPEC))
    await operator.settle()
    await end_all(client, namespace, **FAILURE)
    await operator.settle()
    await end_all(client, namespace)
    await operator.settle()
    live = await client.get(PIPELINES, namespace, NAME)
    live["metadata"]["annotations"] = {RUN_NOW: "again"}
    await client.replace(PIPELINES, namespace, NAME, live)
    await operator.settle()
    await end_all(client, namespace)
    await operator.settle()
    return operator.writes, await world(client, namespace)


async def end_all(client: Client, namespace: str, **result: Any) -> None:
    for pod in await drivers(client, namespace):
        if pod["status"].get("phase") == "Pending":
            await finish(client, pod, **(result or {"metrics": {"rowsWritten": 1}}))


@pytest.fixture
async def undisturbed(installed: ControlPlane, client: Client) -> tuple[int, Any]:
    async with temporary_namespace(client) as namespace:
        return await story(installed, client, namespace, None)


async def test_a_cut_after_any_write_leads_to_the_same_world(
    installed: ControlPlane, client: Client, undisturbed: tuple[int, Any]
) -> None:
    writes, expected = undisturbed
    assert len(expected["drivers"]) == 1

    async def cut(after: int) -> Any:
        async with temporary_namespace(client) as namespace:
            _, left = await story(installed, client, namespace, after)
            return left

    for after in range(1, writes + 1):
        assert timeless(await cut(after)) == timeless(expected), f"cut after write {after} of {writes}"
