"""Several operators, a paused one, a stopped one, an API server that goes away: no attempt twice, no run lost."""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core import names
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.handlers.queue import WorkQueue
from lakehouse_operator.handlers.resync import LEFT_BEHIND, Resync
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS, LEASES, PODS
from lakehouse_operator.kube.errors import NotFoundError
from lakehouse_operator.kube.store import Store
from lakehouse_operator.telemetry.metrics import Metrics
from tests.apiserver.installed import token_kubeconfig
from tests.apiserver.running import (
    PIPELINES,
    RunningOperator,
    condition,
    driver_of,
    drivers,
    finish,
    pipeline,
    status_of,
    until,
    until_leading,
)
from tests.apiserver.world import temporary_namespace

pytestmark = pytest.mark.apiserver
Start = Callable[..., RunningOperator]


@pytest.fixture
async def namespace(installed: ControlPlane, client: Client) -> AsyncIterator[str]:
    async with temporary_namespace(client) as name:
        yield name


@pytest.fixture
def start(installed: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts an operator of the test's namespace; all of them end with the test."""
    started: list[RunningOperator] = []

    def start_one(
        identity: str = "first", lease: str = "operator", kubeconfig: Path = installed.kubeconfig, **settings: Any
    ) -> RunningOperator:
        one = RunningOperator(
            directory=tmp_path,
            kubeconfig=kubeconfig,
            identity=identity,
            lease=lease,
            lease_namespace=namespace,
            namespaces=(namespace,),
            settings=settings,
        )
        started.append(one.start())
        return one

    yield start_one
    for one in started:
        one.go_on()
        one.kill()


async def one_driver_each(client: Client, namespace: str, wanted: list[str]) -> None:
    """Wait until every pipeline has a driver, and see that none has two."""

    async def met() -> bool:
        return {pod["metadata"]["labels"][names.NAME] for pod in await drivers(client, namespace)} >= set(wanted)

    await until(met, f"drivers of {wanted}")
    found = sorted(pod["metadata"]["labels"][names.NAME] for pod in await drivers(client, namespace))
    assert found == sorted(wanted)


async def create(client: Client, namespace: str, *wanted: str) -> list[str]:
    await asyncio.gather(*(client.create(PIPELINES, namespace, pipeline(name)) for name in wanted))
    return list(wanted)


async def until_ended(operator: RunningOperator) -> None:
    async def met() -> bool:
        return not operator.running.alive()

    await until(met, f"{operator.identity} has ended")


async def until_serving(operator: RunningOperator) -> None:
    async def met() -> bool:
        return '"listening"' in operator.log.read_text()

    await until(met, f"{operator.identity} serves HTTP")


def metrics(operator: RunningOperator) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}/metrics") as answer:
        return str(answer.read().decode())


async def test_of_two_operators_one_acts_and_the_other_does_not_even_watch(
    client: Client, namespace: str, start: Start
) -> None:
    first = start("first")
    await until_leading(first)
    second = start("second")
    await until_serving(second)

    await one_driver_each(client, namespace, await create(client, namespace, *"abcdefgh"))

    assert '"leading"' not in second.log.read_text()
    shown = await asyncio.to_thread(metrics, second)
    assert "lakehouse_leader 0.0" in shown
    assert 'verb="GET"' in shown  # it looks at the Lease
    assert "lakehouse_watch_events_total{" not in shown


async def test_an_operator_that_is_stopped_hands_over_at_once(client: Client, namespace: str, start: Start) -> None:
    first = start("first")
    await until_leading(first)
    second = start("second")

    first.running.stop(grace=30)
    lease = await client.get(LEASES, namespace, "operator")
    await until_leading(second)

    assert lease["spec"]["holderIdentity"] in {"", "second"}
    assert (await client.get(LEASES, namespace, "operator"))["spec"]["leaseTransitions"] == 2
    await one_driver_each(client, namespace, await create(client, namespace, "after"))


async def test_an_operator_that_is_killed_is_replaced_when_its_lease_has_run_out(
    client: Client, namespace: str, start: Start
) -> None:
    first = start("first")
    await until_leading(first)
    second = start("second")
    before = await create(client, namespace, "before")
    await driver_of(client, namespace, "before")

    first.kill()
    await until_leading(second)

    await one_driver_each(client, namespace, before + await create(client, namespace, "after"))


async def test_a_leader_that_was_paused_never_acts_again(client: Client, namespace: str, start: Start) -> None:
    first = start("first")
    await until_leading(first)
    second = start("second")
    first.pause()
    wanted = await create(client, namespace, *"abcdefgh")

    await until_leading(second)
    first.go_on()
    await until_ended(first)

    await one_driver_each(client, namespace, wanted)
    assert "leadership lost" in first.log.read_text()
    assert '"launched"' not in first.log.read_text()


async def test_two_operators_that_both_act_by_mistake_start_every_attempt_once(
    client: Client, namespace: str, start: Start
) -> None:
    both = [start("first", lease="one"), start("second", lease="another")]
    await asyncio.gather(*map(until_leading, both))
    wanted = [f"pipeline-{number}" for number in range(20)]

    await one_driver_each(client, namespace, await create(client, namespace, *wanted))
    await asyncio.gather(*[finish(client, pod) for pod in await drivers(client, namespace)])

    for name in wanted:
        status = await status_of(client, namespace, name, lambda s: condition(s)[0] == "True", "Ready")
        assert [record["outcome"] for record in status["history"]] == ["Succeeded"]
    await one_driver_each(client, namespace, wanted)


async def test_one_who_starts_under_a_name_in_use_replaces_the_other(
    client: Client, namespace: str, start: Start, tmp_path: Path
) -> None:
    first = start("same")
    await until_leading(first)

    second = start("same")
    await until_ended(first)

    assert second.running.alive()
    await one_driver_each(client, namespace, await create(client, namespace, "after"))


async def test_no_more_runs_are_active_than_allowed_and_all_get_their_turn(
    client: Client, namespace: str, start: Start
) -> None:
    await until_leading(start(maxActiveRuns={"operator": 2, "namespace": 2}))
    wanted = await create(client, namespace, *"abcdef")
    waiting = await until_four_wait(client, namespace)
    assert {one["reason"] for one in waiting} == {"MaxActiveRuns"}

    most = 0
    for _ in wanted:
        unfinished = await until_one_is_unfinished(client, namespace)
        most = max(most, len(unfinished))
        await finish(client, unfinished[0])

    assert most <= 2
    for name in wanted:
        await status_of(client, namespace, name, lambda s: condition(s)[0] == "True", "Ready")
    await one_driver_each(client, namespace, wanted)


async def until_four_wait(client: Client, namespace: str) -> list[dict[str, Any]]:
    async def met() -> list[dict[str, Any]] | None:
        bodies = [body async for body in client.list(PIPELINES, namespace)]
        waits = [body["status"]["waiting"] for body in bodies if "waiting" in body.get("status", {})]
        return waits if len(waits) == 4 else None

    found: list[dict[str, Any]] = await until(met, "four pipelines wait")
    return found


async def until_one_is_unfinished(client: Client, namespace: str) -> list[dict[str, Any]]:
    async def met() -> list[dict[str, Any]]:
        pods = await drivers(client, namespace)
        return [pod for pod in pods if pod["status"].get("phase") not in {"Succeeded", "Failed"}]

    found: list[dict[str, Any]] = await until(met, "a driver that has not finished")
    return found


async def test_what_was_deleted_while_no_operator_ran_is_let_go_by_the_next_one(
    client: Client, namespace: str, start: Start
) -> None:
    first = start("first")
    await until_leading(first)
    await create(client, namespace, "gone")
    pod = await driver_of(client, namespace, "gone")
    first.stop()
    await client.delete(PIPELINES, namespace, "gone")
    assert await client.get(PODS, namespace, pod["metadata"]["name"])

    start("second")

    async def gone() -> bool:
        return not await drivers(client, namespace)

    await until(gone, "the driver of the deleted pipeline is gone")


async def test_work_goes_on_after_the_api_server_was_away(
    apiserver: ControlPlane, client: Client, namespace: str, start: Start
) -> None:
    operator = start("first")
    await until_leading(operator)
    await create(client, namespace, "before")
    pod = await driver_of(client, namespace, "before")

    apiserver.stop_apiserver()
    apiserver.start_apiserver()
    if not operator.running.alive():  # it was away longer than a leader may be: in a cluster the kubelet starts it anew
        operator.start()
    await finish(client, pod)
    await create(client, namespace, "after")

    await status_of(client, namespace, "before", lambda s: condition(s)[0] == "True", "Ready")
    await driver_of(client, namespace, "after")


async def test_a_terminating_namespace_gets_no_more_drivers(client: Client, namespace: str, start: Start) -> None:
    operator = start()
    await until_leading(operator)
    held = pipeline("held")
    held["spec"]["suspend"] = True
    held["metadata"]["finalizers"] = ["example.org/held"]
    await client.create(PIPELINES, namespace, held)

    await client.delete(PIPELINES, namespace, "held")
    live = await client.get(PIPELINES, namespace, "held")
    live["spec"]["suspend"] = False
    live = await client.replace(PIPELINES, namespace, "held", live)
    await client.remove_finalizer(PIPELINES, live, "example.org/held")

    async def gone() -> bool:
        with contextlib.suppress(NotFoundError):
            await client.get(PIPELINES, namespace, "held")
            return False
        return True

    await until(gone, "the pipeline is gone")
    assert not await drivers(client, namespace)


def resync_of(client: Client, store: Store, queue: WorkQueue, namespace: str, *, later: timedelta) -> Resync:
    return Resync(
        client=client,
        store=store,
        queue=queue,
        namespaces=(namespace,),
        interval=timedelta(minutes=10),
        clock=lambda: utc_now() + later,
        metrics=Metrics(),
    )


async def test_a_resync_finds_what_no_watch_has_told(client: Client, namespace: str, installed: ControlPlane) -> None:
    await create(client, namespace, "new", "gone")
    store, queue = Store({}), WorkQueue()
    resync = resync_of(client, store, queue, namespace, later=timedelta())
    await resync.fill()
    await client.delete(PIPELINES, namespace, "gone")
    await create(client, namespace, "newer")

    await resync._once()

    assert sorted(key.name for key in store.resources()) == ["new", "newer"]
    assert {(await queue.get()).name for _ in range(3)} == {"new", "newer", "gone"}  # type: ignore[union-attr]  # open
    assert resync.deaf() is None
    await create(client, namespace, "newest")
    await resync._once()
    assert resync.deaf() == "the watch of IngestPipeline brings nothing"


async def test_config_maps_without_a_driver_are_swept_and_others_stay(
    client: Client, namespace: str, installed: ControlPlane
) -> None:
    labels = {names.MANAGED_BY: names.FIELD_MANAGER, names.RUN: "left"}
    for name in ("left", "used"):
        await client.create(CONFIG_MAPS, namespace, {"metadata": {"name": name, "labels": labels}})
    container = {"name": "main", "image": "none"}
    spec = {"serviceAccountName": "driver", "containers": [container]}
    await client.create(PODS, namespace, {"metadata": {"name": names.driver_pod("used")}, "spec": spec})

    for later in (timedelta(), LEFT_BEHIND + timedelta(minutes=1)):
        await resync_of(client, Store({}), WorkQueue(), namespace, later=later)._sweep_config_maps()
        left = [one["metadata"]["name"] async for one in client.list(CONFIG_MAPS, namespace, labels=names.RUN_SELECTOR)]
        assert left == (["left", "used"] if not later else ["used"])


async def test_a_process_without_the_rights_it_needs_is_alive_and_not_ready(
    installed: ControlPlane, client: Client, namespace: str, start: Start, tmp_path: Path
) -> None:
    kubeconfig = await token_kubeconfig(client, installed, tmp_path / "poor", namespace=namespace, account="driver")
    poor = start("poor", kubeconfig=kubeconfig)

    async def told() -> bool:
        return "lease not acquired" in poor.log.read_text()

    await until(told, "the log says why")
    assert await asyncio.to_thread(answer, poor, "/healthz") == 200
    assert await asyncio.to_thread(answer, poor, "/readyz") == 503


def answer(operator: RunningOperator, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}{path}") as page:
            return int(page.status)
    except urllib.error.HTTPError as error:
        return error.code


async def test_a_process_that_cannot_start_says_why_and_how(start: Start) -> None:
    broken = start("broken", lake={"uri": "ftp://lake"}, typo=1)

    await until_ended(broken)

    said = [json.loads(line) for line in broken.log.read_text().splitlines()]
    assert "lake.uri is 'ftp://lake'" in said[-1]["message"]
    assert "typo is not a setting" in said[-1]["message"]
