"""A contract in use, told against a real API server: what is refused, what is taken up, and who runs with what."""

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.annotations import RUN_NOW
from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core import names
from lakehouse_operator.core.contracts import version_of
from lakehouse_operator.core.plan import Plan
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS
from lakehouse_operator.kube.execute import Executor
from lakehouse_operator.kube.observe import pipeline_references
from lakehouse_operator.kube.store import Key, Store
from tests.apiserver.running import (
    CONTRACTS,
    PIPELINES,
    RunningOperator,
    condition,
    driver_of,
    drivers,
    edited,
    finish,
    pipeline,
    until,
)
from tests.apiserver.world import temporary_namespace
from tests.console import Step
from tests.guides import Reader

pytestmark = pytest.mark.apiserver


def schema(*kinds: str | None) -> dict[str, Any]:
    kind = {"const": None} if kinds == (None,) else {"type": "string", "enum": list(kinds)}
    return {"type": "object", "required": ["Id"], "properties": {"Id": {"type": "string"}, "Kind": kind}}


WIDE, NARROW = schema("a", "b"), schema("a")


@pytest.fixture
def namespace(operator: RunningOperator) -> str:
    return operator.namespaces[0]


@pytest.fixture
def name() -> str:
    return f"orders-{secrets.token_hex(3)}"


async def create(client: Client, namespace: str, name: str, **spec: Any) -> None:
    body = {"apiVersion": CONTRACTS.api_version, "kind": CONTRACTS.kind, "metadata": {"name": name}}
    await client.create(CONTRACTS, namespace, {**body, "spec": {"owner": "shop", **spec}})


async def edit(client: Client, namespace: str, name: str, **spec: Any) -> None:
    await edited(client, CONTRACTS, namespace, name, lambda live: live["spec"].update(spec))


async def judged(client: Client, namespace: str, name: str, reason: str, users: int) -> dict[str, Any]:
    """Wait until the contract's change is judged with that reason, and its users are known."""

    async def met() -> dict[str, Any] | None:
        status = (await client.get(CONTRACTS, namespace, name)).get("status") or {}
        return status if (condition(status, "Compatible")[1], status.get("usedBy", 0)) == (reason, users) else None

    found: dict[str, Any] = await until(met, f"{name} is {reason}, used by {users}")
    return found


async def version_run(client: Client, namespace: str, pod: dict[str, Any]) -> str:
    run = await client.get(CONFIG_MAPS, namespace, pod["metadata"]["labels"][names.RUN])
    version: str = json.loads(run["data"]["run.json"])["job"]["contract"]["version"]
    return version


async def test_pipelines_stay_on_the_accepted_version_until_the_spec_names_the_breaking_one(
    client: Client, namespace: str, name: str
) -> None:
    await create(client, namespace, name, schema=WIDE)
    await client.create(PIPELINES, namespace, pipeline(name, contract={"ref": name}))
    await finish(client, await driver_of(client, namespace, name))
    await judged(client, namespace, name, "FirstVersion", 1)

    await edit(client, namespace, name, schema=NARROW)
    status = await judged(client, namespace, name, "BreakingChange", 1)
    assert condition(status) == ("False", "BreakingChange")
    assert '"Kind": "b"' in status["proposed"]["summary"]
    assert status["consumers"] == [{"name": name, "version": version_of(WIDE)}]
    second = await run_again(client, namespace, name, "while-refused")
    assert await version_run(client, namespace, second) == version_of(WIDE)
    await finish(client, second)

    await edit(client, namespace, name, acceptBreaking=version_of(NARROW))
    status = await judged(client, namespace, name, "BreakingAccepted", 1)
    assert (condition(status), "proposed" in status) == (("True", "Valid"), False)
    third = await run_again(client, namespace, name, "once-accepted")
    assert await version_run(client, namespace, third) == version_of(NARROW)

    async def seen() -> bool:
        status = (await client.get(CONTRACTS, namespace, name))["status"]
        return bool(status["consumers"] == [{"name": name, "version": version_of(NARROW)}])

    await until(seen, "the contract knows what its pipeline runs with")


async def run_again(client: Client, namespace: str, name: str, token: str) -> dict[str, Any]:
    """Ask for a run, and give its driver."""
    live = await client.get(PIPELINES, namespace, name)
    live["metadata"].setdefault("annotations", {})[RUN_NOW] = token
    await client.replace(PIPELINES, namespace, name, live)

    async def met() -> dict[str, Any] | None:
        pods = await drivers(client, namespace, name)
        return next((pod for pod in pods if token in pod["metadata"]["annotations"][names.SLOT]), None)

    found: dict[str, Any] = await until(met, f"{name} runs for {token}")
    return found


async def test_a_refused_version_is_taken_up_when_the_last_pipeline_that_used_the_contract_is_gone(
    client: Client, namespace: str, name: str
) -> None:
    await create(client, namespace, name, schema=WIDE)
    await client.create(PIPELINES, namespace, pipeline(name, contract={"ref": name}, suspend=True))
    await judged(client, namespace, name, "FirstVersion", 1)
    await edit(client, namespace, name, schema=schema(None))
    await judged(client, namespace, name, "BreakingChange", 1)

    await client.delete(PIPELINES, namespace, name)

    status = await judged(client, namespace, name, "NotInUse", 0)
    assert status["accepted"]["schema"] == schema(None), "null must survive the API server"


async def test_a_version_that_a_pipeline_ran_with_concerns_its_contract_although_the_operator_wrote_it_itself(
    installed: ControlPlane, client: Client, name: str
) -> None:
    woken: list[Key] = []
    store = Store({PIPELINES.kind: pipeline_references})
    executor = Executor(client=client, store=store, emit=lambda _resource, _event: None, wake=woken.append)
    async with temporary_namespace(client) as own:
        await create(client, own, name, schema=WIDE)
        store.put_resource(await client.get(CONTRACTS, own, name))
        made = await client.create(PIPELINES, own, pipeline(name, contract={"ref": name}))
        store.put_resource(made)

        await executor.carry_out(Resource.read(made), Plan(status={"contractVersion": version_of(WIDE)}))

        assert woken == [Key(CONTRACTS.kind, own, name)]
        assert store.put_resource(await client.get(PIPELINES, own, name)) == set(), "its watch event is no news"


async def test_every_command_of_the_guide_does_what_the_guide_says(
    apiserver: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    reader = Reader(folder=tmp_path, kubeconfig=apiserver.kubeconfig, places={"-n lakehouse": f"-n {namespace}"})

    await asyncio.to_thread(reader.follow, "evolve-contracts.md")

    await asyncio.to_thread(reader.run, [_UNKNOWN, Step(command=f"kubectl -n {namespace} delete {_MADE}", output=None)])


_MADE = "-f orders.yaml -f pipeline.yaml"
_UNKNOWN = Step(
    command="kubectl lakehouse contract history no-such-contract -n default",
    output=(
        "Error: the cluster was asked for DataContract 'no-such-contract': Error from server (NotFound): "
        'datacontracts.lakehouse.dev "no-such-contract" not found'
    ),
)
