"""A fault met by one resource stays with it."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from lakehouse_api.kinds import INGEST_PIPELINE
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.notices import Notice
from lakehouse_operator.core.plan import Event, Launch, Plan
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.delivery.courier import Courier
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.handlers.lease import LeadershipLostError
from lakehouse_operator.handlers.ledger import RunLedger
from lakehouse_operator.handlers.queue import WorkQueue
from lakehouse_operator.handlers.reconciler import Reconciler
from lakehouse_operator.handlers.register import Registration
from lakehouse_operator.kube.access import Access
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.errors import RejectedError, UnavailableError
from lakehouse_operator.kube.execute import Executor
from lakehouse_operator.kube.store import Key, Store, key_of
from lakehouse_operator.telemetry.metrics import Metrics
from tests.gen import config, pipeline_body
from tests.promised import Told


class Shop:
    """A reconciler whose decisions are given; none of them asks for anything of the cluster."""

    def __init__(self, faults: dict[str, Exception]) -> None:
        self.faults = faults
        self.plan = Plan()
        self.decided: list[str] = []
        self.said: list[str] = []
        self.events: list[tuple[str, str]] = []
        self.store = Store({})
        self.queue = WorkQueue()
        self.metrics = Metrics()
        self.client = Client(Access(server="https://127.0.0.1:1"))
        self.courier = Courier[Key](
            send=self._send,
            wake=self.queue.add,
            leads=lambda: True,
            clock=utc_now,
            count=self.metrics.count_notification,
        )
        kind = Registration(kind=INGEST_PIPELINE, observe=self._observe, reconcile=self._decide)
        self.reconciler = Reconciler(
            config=config(),
            registrations={INGEST_PIPELINE.kind: kind},
            client=self.client,
            store=self.store,
            queue=self.queue,
            ledger=RunLedger(limits=config().max_active_runs, store=self.store, wake=self.queue.add),
            courier=self.courier,
            executor=Executor(client=self.client, store=self.store, emit=self._emit, wake=self.queue.add),
            emit=self._emit,
            clock=utc_now,
            metrics=self.metrics,
        )

    async def _observe(self, _client: Client, _store: Store, _resource: Resource) -> None:
        await asyncio.sleep(0)

    def _decide(self, resource: Resource, _seen: Any, _now: datetime, _config: Config) -> Plan:
        if fault := self.faults.get(resource.name):
            raise fault
        self.decided.append(resource.name)
        return self.plan

    async def _send(self, namespace: str, notice: Notice) -> None:
        self.said.append(f"{namespace}: {notice.message.document['type']}")

    def _emit(self, resource: Resource, event: Event) -> None:
        self.events.append((resource.name, event.reason))

    def add(self, *names: str) -> list[Key]:
        keys = []
        for name in names:
            body = pipeline_body(name)
            self.store.put_resource(body)
            keys.append(key_of(body))
            self.queue.add(keys[-1])
        return keys

    async def work_off(self) -> None:
        """Work until the line is empty."""
        worker = asyncio.create_task(self.reconciler.work())
        while self.queue.depth or self.queue.working:  # noqa: ASYNC110 - a queue tells nobody that it is empty
            await asyncio.sleep(0)
        self.queue.close()
        await worker

    def count(self, result: str) -> float:
        value = self.metrics.registry.get_sample_value(
            "lakehouse_reconcile_total", {"kind": INGEST_PIPELINE.kind, "result": result}
        )
        return value or 0.0


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(KeyError("nothing there"), id="a bug"),
        pytest.param(RejectedError("status.active: must be an array"), id="a write the server cannot accept"),
    ],
)
async def test_a_fault_of_our_own_is_told_and_stops_no_other(fault: Exception) -> None:
    shop = Shop({"odd": fault})
    shop.add("first", "odd", "last")

    await shop.work_off()

    assert shop.decided == ["first", "last"]
    assert shop.events == [("odd", "ReconcileFailed")]
    assert (shop.count("done"), shop.count("error")) == (2, 1)


async def test_a_cluster_that_does_not_answer_is_no_event() -> None:
    shop = Shop({"odd": UnavailableError("no answer")})
    shop.add("odd", "last")

    await shop.work_off()

    assert shop.events == []
    assert (shop.count("done"), shop.count("unavailable")) == (1, 1)


async def test_what_failed_is_tried_again_later_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop({"odd": UnavailableError("no answer")})
    waits: list[float | None] = []
    monkeypatch.setattr(shop.queue, "schedule", lambda _key, seconds: waits.append(seconds))
    (key,) = shop.add("odd")

    for _ in range(12):
        await shop.reconciler._guarded(key)

    bounds = [min(300.0, 2.0**failures) for failures in range(12)]
    assert all(wait is not None and bound / 2 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))


async def test_success_forgets_earlier_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop({"odd": UnavailableError("no answer")})
    waits: list[float | None] = []
    monkeypatch.setattr(shop.queue, "schedule", lambda _key, seconds: waits.append(seconds))
    (key,) = shop.add("odd")
    for _ in range(5):
        await shop.reconciler._guarded(key)
    fault = shop.faults.pop("odd")
    await shop.reconciler._guarded(key)
    shop.faults["odd"] = fault

    await shop.reconciler._guarded(key)

    assert waits[-1] is not None
    assert waits[-1] <= 1.0


async def test_a_launch_that_fails_holds_up_nothing_that_is_to_be_said() -> None:
    shop = Shop({})
    launch = Launch(run_id="run", config_map={}, pod={})
    shop.plan = Plan(launch=launch, notices=Told().after(hours=3).notices)
    shop.add("late")

    await shop.work_off()
    await shop.courier.drain(10)

    assert shop.said == ["lakehouse: lakehouse.sla.breached"]
    assert shop.count("done") == 0


async def test_a_process_that_no_longer_leads_ends_its_workers() -> None:
    shop = Shop({"odd": LeadershipLostError("the lease is gone")})
    shop.add("odd")

    with pytest.raises(LeadershipLostError):
        await shop.reconciler.work()


async def test_a_resource_that_is_gone_is_forgotten() -> None:
    shop = Shop({})
    shop.queue.add(Key(INGEST_PIPELINE.kind, "lakehouse", "gone"))

    await shop.work_off()

    assert shop.decided == []
    assert shop.count("done") == 1
