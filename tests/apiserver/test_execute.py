"""Carrying out a launch that meets something in its way: what is ours is adopted, what is not is refused."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core import ingest_pipeline, names
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.plan import Event, Launch, Plan
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS, PODS
from lakehouse_operator.kube.errors import NotFoundError
from lakehouse_operator.kube.execute import Executor, GoneError, RefusedError, StaleError
from lakehouse_operator.kube.store import Store
from tests.apiserver.running import PIPELINES, SETTINGS, pipeline
from tests.apiserver.world import temporary_namespace

pytestmark = pytest.mark.apiserver
CONFIG = Config.model_validate(SETTINGS)


@dataclass
class Scene:
    """One pipeline of a fresh namespace, and what its first reconcile wants."""

    client: Client
    store: Store
    executor: Executor
    resource: Resource
    plan: Plan
    events: list[Event]

    @property
    def launch(self) -> Launch:
        assert self.plan.launch is not None
        return self.plan.launch

    async def carry_out(self) -> None:
        await self.executor.carry_out(self.resource, self.plan)

    async def pods(self) -> list[dict[str, Any]]:
        return [pod async for pod in self.client.list(PODS, self.resource.namespace)]

    async def live(self) -> dict[str, Any]:
        return await self.client.get(PIPELINES, self.resource.namespace, self.resource.name)


def decide(body: dict[str, Any]) -> tuple[Resource, Plan]:
    resource = Resource.read(body)
    return resource, ingest_pipeline.reconcile(resource, ingest_pipeline.Seen(), utc_now(), CONFIG)


@pytest.fixture
async def scene(installed: ControlPlane, client: Client) -> AsyncIterator[Scene]:
    events: list[Event] = []
    store = Store({})
    executor = Executor(
        client=client, store=store, emit=lambda _resource, event: events.append(event), wake=lambda _key: None
    )
    async with temporary_namespace(client) as namespace:
        resource, plan = decide(await client.create(PIPELINES, namespace, pipeline("accounts")))
        yield Scene(client=client, store=store, executor=executor, resource=resource, plan=plan, events=events)


async def test_a_launch_creates_its_objects_stores_its_status_and_tells(scene: Scene) -> None:
    await scene.carry_out()

    (pod,) = await scene.pods()
    assert pod["metadata"]["name"] == names.driver_pod(scene.launch.run_id)
    assert (await scene.live())["status"]["active"][0]["id"] == scene.launch.run_id
    assert scene.store.driver(scene.resource.namespace, pod["metadata"]["name"]) is not None
    assert [event.reason for event in scene.events] == ["RunStarted"]


async def test_a_launch_that_was_interrupted_after_its_pod_is_taken_up(scene: Scene) -> None:
    namespace = scene.resource.namespace
    await scene.client.create(CONFIG_MAPS, namespace, scene.launch.config_map)
    made = await scene.client.create(PODS, namespace, scene.launch.pod)

    await scene.carry_out()

    assert [pod["metadata"]["uid"] for pod in await scene.pods()] == [made["metadata"]["uid"]]
    assert (await scene.live())["status"]["active"][0]["pod"] == made["metadata"]["name"]


async def test_a_config_map_left_by_a_launch_of_another_spec_is_replaced(scene: Scene) -> None:
    left = {**scene.launch.config_map, "data": {"run.json": "of an older spec"}}
    await scene.client.create(CONFIG_MAPS, scene.resource.namespace, left)

    await scene.carry_out()

    live = await scene.client.get(CONFIG_MAPS, scene.resource.namespace, scene.launch.run_id)
    assert live["data"] == scene.launch.config_map["data"]
    assert len(await scene.pods()) == 1


async def test_a_config_map_whose_pod_runs_is_left_as_it_is(scene: Scene) -> None:
    namespace = scene.resource.namespace
    left = {**scene.launch.config_map, "data": {"run.json": "what the Pod has read"}}
    await scene.client.create(CONFIG_MAPS, namespace, left)
    await scene.client.create(PODS, namespace, scene.launch.pod)

    await scene.carry_out()

    live = await scene.client.get(CONFIG_MAPS, namespace, scene.launch.run_id)
    assert live["data"] == left["data"]


@pytest.mark.parametrize("part", ["ConfigMap", "Pod"])
async def test_a_foreign_object_of_the_same_name_is_not_touched(scene: Scene, part: str) -> None:
    namespace = scene.resource.namespace
    endpoint, manifest = (CONFIG_MAPS, scene.launch.config_map) if part == "ConfigMap" else (PODS, scene.launch.pod)
    foreign = {**manifest, "metadata": {"name": manifest["metadata"]["name"]}}
    made = await scene.client.create(endpoint, namespace, foreign)

    with pytest.raises(RefusedError) as refused:
        await scene.carry_out()

    assert refused.value.refusal.reason == "NameConflict"
    assert manifest["metadata"]["name"] in refused.value.refusal.message
    assert await scene.client.get(endpoint, namespace, made["metadata"]["name"]) == made


async def test_nothing_is_launched_for_a_resource_that_has_changed_since(scene: Scene) -> None:
    live = await scene.live()
    live["spec"]["suspend"] = True
    changed = await scene.client.replace(PIPELINES, scene.resource.namespace, scene.resource.name, live)

    with pytest.raises(StaleError):
        await scene.carry_out()

    assert await scene.pods() == []
    (key,) = scene.store.resources()
    known = scene.store.resource(key)
    assert known is not None
    assert known["metadata"]["resourceVersion"] == changed["metadata"]["resourceVersion"]


async def test_nothing_is_launched_from_a_picture_older_than_our_own_status(scene: Scene) -> None:
    """The run has ended, its status is stored, its Pod is pruned; a late picture knows nothing of it."""
    await scene.carry_out()
    (pod,) = await scene.pods()
    await scene.executor.release(scene.resource.namespace, pod["metadata"]["name"])
    await scene.client.delete(PODS, scene.resource.namespace, pod["metadata"]["name"])

    with pytest.raises(StaleError):
        await scene.carry_out()

    assert await scene.pods() == []


async def test_nothing_is_launched_for_a_resource_that_is_gone(scene: Scene) -> None:
    await scene.client.delete(PIPELINES, scene.resource.namespace, scene.resource.name)

    with pytest.raises(GoneError):
        await scene.carry_out()

    with pytest.raises(NotFoundError):
        await scene.client.get(CONFIG_MAPS, scene.resource.namespace, scene.launch.run_id)


async def test_a_status_that_says_nothing_new_is_not_written(scene: Scene) -> None:
    await scene.carry_out()
    live = await scene.live()
    same = Plan(status=live["status"])

    await scene.executor.carry_out(Resource.read(live), same)

    assert (await scene.live())["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]


async def test_a_status_decided_from_an_older_version_is_not_stored(scene: Scene) -> None:
    before = await scene.live()
    await scene.carry_out()

    with pytest.raises(StaleError):
        await scene.executor.carry_out(Resource.read(before), Plan(status={"observedGeneration": 7}))

    assert (await scene.live())["status"]["observedGeneration"] == 1


async def test_a_driver_is_let_go_although_its_finalizers_have_changed(scene: Scene) -> None:
    await scene.carry_out()
    namespace, name = scene.resource.namespace, names.driver_pod(scene.launch.run_id)
    live = await scene.client.get(PODS, namespace, name)
    live["metadata"]["finalizers"] = ["example.org/first", names.DRIVER_FINALIZER]
    await scene.client.replace(PODS, namespace, name, live)

    await scene.executor.release(namespace, name)

    left = await scene.client.get(PODS, namespace, name)
    assert left["metadata"]["finalizers"] == ["example.org/first"]
    await scene.client.remove_finalizer(PODS, left, "example.org/first")
