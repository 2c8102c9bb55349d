"""The whole operator as a process, under the rights of its chart, against a real API server; tests play the kubelet."""

import asyncio
import json
import secrets
import urllib.request
from typing import Any

import pytest

from lakehouse_api.annotations import RUN_NOW
from lakehouse_operator.core import names
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS, EVENTS, PODS
from lakehouse_operator.kube.errors import NotFoundError
from tests.apiserver.running import (
    CONTRACTS,
    PIPELINES,
    SCHEMA,
    RunningOperator,
    begin,
    condition,
    driver_of,
    drivers,
    edited,
    finish,
    pipeline,
    set_pod_status,
    status_of,
    until,
)
from tests.apiserver.world import LIMIT_RANGES, QUOTAS, SERVICE_ACCOUNTS

pytestmark = pytest.mark.apiserver


@pytest.fixture
def namespace(operator: RunningOperator) -> str:
    return operator.namespaces[0]


@pytest.fixture
def name() -> str:
    return f"accounts-{secrets.token_hex(3)}"


async def change(client: Client, namespace: str, name: str, **parts: Any) -> dict[str, Any]:
    """Change parts of a pipeline as a user does; `spec` is merged, `annotations` are added."""

    def edit(live: dict[str, Any]) -> None:
        live["spec"].update(parts.get("spec", {}))
        live["metadata"].setdefault("annotations", {}).update(parts.get("annotations", {}))

    return await edited(client, PIPELINES, namespace, name, edit)


async def test_a_pipeline_gets_its_driver_and_the_result_reaches_its_status(
    client: Client, namespace: str, name: str
) -> None:
    await client.create(PIPELINES, namespace, pipeline(name))
    pod = await driver_of(client, namespace, name)
    run = pod["metadata"]["labels"][names.RUN]
    assert json.loads((await client.get(CONFIG_MAPS, namespace, run))["data"]["run.json"])["id"] == run
    await begin(client, pod)
    await status_of(client, namespace, name, lambda s: s.get("active", [{}])[0].get("phase") == "Running", "running")

    await finish(client, pod, metrics={"rowsWritten": 7, "rowsQuarantined": 2})

    status = await status_of(client, namespace, name, lambda s: condition(s)[0] == "True", "Ready")
    assert (status["lastRows"], status["lastQuarantined"]) == (7, 2)
    assert not status.get("active")
    assert [event["reason"] for event in await events_of(client, namespace, name, 2)] == ["RunStarted", "RunSucceeded"]


async def events_of(client: Client, namespace: str, name: str, count: int) -> list[dict[str, Any]]:
    async def met() -> list[dict[str, Any]] | None:
        events = [event async for event in client.list(EVENTS, namespace) if event["regarding"]["name"] == name]
        return sorted(events, key=lambda event: str(event["eventTime"])) if len(events) >= count else None

    found: list[dict[str, Any]] = await until(met, f"{name} has {count} events")
    return found


async def test_a_finished_driver_is_let_go_once_its_result_is_stored(client: Client, namespace: str, name: str) -> None:
    await client.create(PIPELINES, namespace, pipeline(name))
    await finish(client, await driver_of(client, namespace, name))

    async def released() -> bool:
        return not (await driver_of(client, namespace, name))["metadata"].get("finalizers")

    await until(released, "the finalizer is gone")
    status = (await client.get(PIPELINES, namespace, name))["status"]
    assert [record["outcome"] for record in status["history"]] == ["Succeeded"]


async def test_the_history_keeps_its_length_and_its_objects(client: Client, namespace: str, name: str) -> None:
    await client.create(PIPELINES, namespace, pipeline(name, history={"successful": 1, "failed": 1}))
    await finish(client, await driver_of(client, namespace, name))
    await status_of(client, namespace, name, lambda s: condition(s)[0] == "True", "Ready")

    await change(client, namespace, name, annotations={RUN_NOW: "again"})
    second = await another_driver(client, namespace, name, not_of="spec:")
    await finish(client, second)

    async def pruned() -> bool:
        pods = [pod["metadata"]["name"] for pod in await drivers(client, namespace, name)]
        return pods == [second["metadata"]["name"]]

    await until(pruned, "the first run's driver is gone")
    labels = f"{names.NAME}={name}"
    maps = [one["metadata"]["name"] async for one in client.list(CONFIG_MAPS, namespace, labels=labels)]
    assert maps == [second["metadata"]["labels"][names.RUN]]


async def another_driver(client: Client, namespace: str, name: str, *, not_of: str) -> dict[str, Any]:
    async def met() -> dict[str, Any] | None:
        pods = await drivers(client, namespace, name)
        return next((p for p in pods if not p["metadata"]["annotations"][names.SLOT].startswith(not_of)), None)

    found: dict[str, Any] = await until(met, f"{name} has another driver")
    return found


async def test_deleting_a_pipeline_ends_its_run_and_leaves_nothing(client: Client, namespace: str, name: str) -> None:
    await client.create(PIPELINES, namespace, pipeline(name))
    pod = await driver_of(client, namespace, name)
    await begin(client, pod)

    await client.delete(PIPELINES, namespace, name)

    await until_gone(client, namespace, pod)


async def until_gone(client: Client, namespace: str, pod: dict[str, Any]) -> None:
    async def gone() -> bool:
        try:
            await client.get(PODS, namespace, pod["metadata"]["name"])
        except NotFoundError:
            return True
        return False

    await until(gone, "the driver is gone")


async def test_a_pipeline_held_by_somebodys_finalizer_runs_nothing_once_it_is_deleted(
    client: Client, namespace: str, name: str
) -> None:
    held = pipeline(name)
    held["metadata"]["finalizers"] = ["example.org/held"]
    await client.create(PIPELINES, namespace, held)
    pod = await driver_of(client, namespace, name)

    await client.delete(PIPELINES, namespace, name)

    await until_gone(client, namespace, pod)
    await client.remove_finalizer(PIPELINES, await client.get(PIPELINES, namespace, name), "example.org/held")


async def test_a_pipeline_made_again_under_its_name_runs_and_the_run_of_the_first_ends(
    client: Client, namespace: str, name: str
) -> None:
    first = await client.create(PIPELINES, namespace, pipeline(name))
    pod = await driver_of(client, namespace, name)
    await begin(client, pod)

    await client.delete(PIPELINES, namespace, name)
    second = await client.create(PIPELINES, namespace, pipeline(name))

    await until_gone(client, namespace, pod)
    left = await driver_of(client, namespace, name)
    assert left["metadata"]["labels"][names.UID] == second["metadata"]["uid"] != first["metadata"]["uid"]


async def test_a_driver_whose_pipeline_was_deleted_without_it_runs_on_and_is_let_go(
    client: Client, namespace: str, name: str
) -> None:
    await client.create(PIPELINES, namespace, pipeline(name))
    pod = await driver_of(client, namespace, name)
    await begin(client, pod)

    await client._write("DELETE", PIPELINES.path(namespace, name), {"propagationPolicy": "Orphan"})

    async def let_go() -> dict[str, Any] | None:
        live = await client.get(PODS, namespace, pod["metadata"]["name"])
        return None if live["metadata"].get("finalizers") else live

    live = await until(let_go, "the finalizer is gone")
    assert "deletionTimestamp" not in live["metadata"]
    assert live["status"]["phase"] == "Running"


async def test_a_driver_deleted_by_hand_is_reported_and_tried_again(client: Client, namespace: str, name: str) -> None:
    retry = {"maxAttempts": 2, "backoff": "1s", "maxBackoff": "1s"}
    await client.create(PIPELINES, namespace, pipeline(name, retry=retry))
    pod = await driver_of(client, namespace, name)

    await client.delete(PODS, namespace, pod["metadata"]["name"])

    second = await another_attempt(client, namespace, name, 2)
    assert second["metadata"]["annotations"][names.FAILURES] == "1"
    events = [event["reason"] for event in await events_of(client, namespace, name, 3)]
    assert "AttemptFailed" in events


async def another_attempt(client: Client, namespace: str, name: str, attempt: int) -> dict[str, Any]:
    async def met() -> dict[str, Any] | None:
        pods = await drivers(client, namespace, name)
        return next((p for p in pods if p["metadata"]["labels"][names.ATTEMPT] == str(attempt)), None)

    found: dict[str, Any] = await until(met, f"{name} has attempt {attempt}")
    return found


async def test_an_attempt_that_fails_is_tried_again_until_it_is_given_up(
    client: Client, namespace: str, name: str
) -> None:
    retry = {"maxAttempts": 2, "backoff": "1s", "maxBackoff": "1s"}
    await client.create(PIPELINES, namespace, pipeline(name, retry=retry))
    failure = {"outcome": "Failed", "reason": "SourceUnavailable", "message": "no answer", "retry": True}

    for attempt in (1, 2):
        await finish(client, await another_attempt(client, namespace, name, attempt), **failure)

    status = await status_of(client, namespace, name, lambda s: s.get("lastRun"), "given up")
    assert condition(status) == ("False", "SourceUnavailable")
    assert status["lastRun"]["attempts"] == 2


async def test_a_run_that_cannot_pull_its_image_says_so_while_it_waits(
    client: Client, namespace: str, name: str
) -> None:
    await client.create(PIPELINES, namespace, pipeline(name))
    pod = await driver_of(client, namespace, name)
    waiting = {"reason": "ImagePullBackOff", "message": "manifest unknown"}

    await set_pod_status(client, pod, "Pending", {"waiting": waiting})

    status = await status_of(client, namespace, name, lambda s: s["active"][0].get("message"), "a message")
    assert "ImagePullFailed" in status["active"][0]["message"]


async def test_a_contract_that_appears_wakes_the_pipelines_that_wait_for_it(
    client: Client, namespace: str, name: str
) -> None:
    await client.create(PIPELINES, namespace, pipeline(name, contract={"ref": name}))
    await status_of(client, namespace, name, lambda s: condition(s)[1] == "ContractMissing", "ContractMissing")

    contract = {"apiVersion": CONTRACTS.api_version, "kind": CONTRACTS.kind, "metadata": {"name": name}}
    await client.create(CONTRACTS, namespace, {**contract, "spec": {"owner": "crm", "schema": SCHEMA}})

    await driver_of(client, namespace, name)
    assert condition((await client.get(CONTRACTS, namespace, name))["status"])[0] == "True"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        pytest.param({"schedule": "61 * * * *"}, "ScheduleInvalid", id="a bad cron expression"),
        pytest.param({"schedule": "0 * * * *", "timeZone": "Mars/Olympus"}, "TimeZoneUnknown", id="an unknown zone"),
        pytest.param({"target": {"table": "gold.secret"}}, "NotAllowed", id="a table of somebody else"),
        pytest.param({"contract": {"schema": {"type": "whatever"}}}, "ContractInvalid", id="a schema that is none"),
    ],
)
async def test_what_only_a_person_can_mend_stalls_with_its_reason(
    client: Client, namespace: str, name: str, spec: dict[str, Any], reason: str
) -> None:
    await client.create(PIPELINES, namespace, pipeline(name, **spec))

    status = await status_of(client, namespace, name, lambda s: condition(s, "Stalled")[0] == "True", "Stalled")

    assert condition(status, "Stalled")[1] == reason
    assert not await drivers(client, namespace, name)


async def test_of_two_pipelines_that_fill_a_table_under_two_contracts_the_younger_one_starts_once_the_older_is_gone(
    client: Client, namespace: str, name: str
) -> None:
    older, younger, target = f"{name}-a", f"{name}-b", {"table": f"bronze.{name.replace('-', '_')}"}
    await client.create(PIPELINES, namespace, pipeline(older, target=target))
    await driver_of(client, namespace, older)
    other = {"schema": {**SCHEMA, "required": []}}
    await client.create(PIPELINES, namespace, pipeline(younger, target=target, contract=other))
    status = await status_of(client, namespace, younger, lambda s: condition(s, "Stalled")[0] == "True", "Stalled")
    assert condition(status) == ("False", "TargetShared")
    assert not await drivers(client, namespace, younger)

    await client.delete(PIPELINES, namespace, older)

    await driver_of(client, namespace, younger)


async def test_a_quota_that_refuses_a_driver_is_told_and_holds_up_no_other(
    client: Client, operator: RunningOperator, namespace: str, name: str
) -> None:
    small = operator.namespaces[1]
    await client.create(QUOTAS, small, {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}})

    async def enforced() -> bool:
        return bool(((await client.get(QUOTAS, small, "none")).get("status") or {}).get("hard"))

    await until(enforced, "the quota is known")
    await client.create(PIPELINES, small, pipeline(name))
    await client.create(PIPELINES, namespace, pipeline(name))

    await driver_of(client, namespace, name)
    status = await status_of(client, small, name, lambda s: s.get("retry"), "a refusal")
    assert status["retry"]["reason"] == "QuotaExceeded"
    await client.delete(QUOTAS, small, "none")


async def test_a_limit_range_that_refuses_a_driver_is_told(
    client: Client, operator: RunningOperator, name: str
) -> None:
    limited = operator.namespaces[2]
    limit = {"type": "Container", "max": {"memory": "64Mi"}}
    await client.create(LIMIT_RANGES, limited, {"metadata": {"name": "tiny"}, "spec": {"limits": [limit]}})
    await client.create(PIPELINES, limited, pipeline(name, retry={"backoff": "1s", "maxBackoff": "1s"}))

    status = await status_of(client, limited, name, lambda s: s.get("retry") or s.get("lastRun"), "a refusal")

    assert (status.get("retry") or status["lastRun"])["reason"] == "LimitRangeRefused"


async def test_pod_security_that_refuses_a_driver_is_told(client: Client, operator: RunningOperator, name: str) -> None:
    strict = operator.namespaces[3]
    template = {"spec": {"volumes": [{"name": "share", "nfs": {"server": "files.example", "path": "/"}}]}}
    await client.create(PIPELINES, strict, pipeline(name, spark={"podTemplate": template}))

    status = await status_of(client, strict, name, lambda s: s.get("retry"), "a refusal")

    assert status["retry"]["reason"] == "PodSecurityRefused"


async def test_a_missing_service_account_is_told(client: Client, operator: RunningOperator, name: str) -> None:
    strict = operator.namespaces[3]
    await client.delete(SERVICE_ACCOUNTS, strict, "driver")
    await client.create(PIPELINES, strict, pipeline(name))

    status = await status_of(client, strict, name, lambda s: s.get("retry"), "a refusal")

    await client.create(SERVICE_ACCOUNTS, strict, {"metadata": {"name": "driver"}})
    assert status["retry"]["reason"] == "ServiceAccountMissing"


async def test_nothing_is_written_while_nothing_happens(client: Client, namespace: str, name: str) -> None:
    await client.create(PIPELINES, namespace, pipeline(name))
    await finish(client, await driver_of(client, namespace, name))
    await status_of(client, namespace, name, lambda s: condition(s)[0] == "True", "Ready")
    settled = await until_still(client, namespace, name)

    await change(client, namespace, name, annotations={"example.org/unrelated": "note"})
    await change(client, namespace, name, annotations={"example.org/unrelated": "another"})
    after = await until_still(client, namespace, name)

    assert after["status"] == settled["status"]
    assert {entry["manager"] for entry in after["metadata"]["managedFields"] if entry.get("subresource")} == {
        names.FIELD_MANAGER
    }
    assert "finalizers" not in after["metadata"]


async def until_still(client: Client, namespace: str, name: str) -> dict[str, Any]:
    """Give the resource once the operator has looked at every event and changes it no more."""
    seen = await client.get(PIPELINES, namespace, name)
    while True:
        await asyncio.sleep(0.5)
        again = await client.get(PIPELINES, namespace, name)
        if again["metadata"]["resourceVersion"] == seen["metadata"]["resourceVersion"]:
            return again
        seen = again


def page(operator: RunningOperator, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}{path}") as answer:
        return str(answer.read().decode())


async def test_health_readiness_and_metrics_are_served(
    client: Client, operator: RunningOperator, namespace: str, name: str
) -> None:
    await client.create(PIPELINES, namespace, pipeline(name))
    await driver_of(client, namespace, name)

    async def counted() -> bool:
        return 'lakehouse_launches_total{kind="IngestPipeline"}' in await asyncio.to_thread(page, operator, "/metrics")

    await until(counted, "the launch is counted")
    assert json.loads(await asyncio.to_thread(page, operator, "/healthz")) == {"ok": True}
    assert json.loads(await asyncio.to_thread(page, operator, "/readyz")) == {"ok": True}
    assert "lakehouse_leader 1.0" in await asyncio.to_thread(page, operator, "/metrics")
