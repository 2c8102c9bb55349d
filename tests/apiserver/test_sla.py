"""Broken promises told to receivers on loopback by an operator under its chart's rights, and through its deaths."""

import asyncio
import base64
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from lakehouse_api.annotations import RUN_NOW
from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import EVENTS, SECRETS
from tests.apiserver.installed import allow_notifications
from tests.apiserver.running import (
    PIPELINES,
    RunningOperator,
    condition,
    driver_of,
    drivers,
    edited,
    finish,
    pipeline,
    status_of,
    until,
    until_leading,
)
from tests.guides import Reader, blocks_of
from tests.receiver import Answer, Got, Receiver

pytestmark = pytest.mark.apiserver

NEVER = "0 0 29 2 *"
SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SLACK_PATH = "/services/T0/B0/s3cr3t"


@pytest.fixture
def namespace(operator: RunningOperator) -> str:
    return operator.namespaces[0]


@pytest.fixture
async def name(client: Client, namespace: str) -> AsyncIterator[str]:
    """Return the name of a pipeline, and of a Secret; both are gone afterwards, and nobody is told any more."""
    name = f"late-{secrets.token_hex(3)}"
    await allow_notifications(client, namespace)
    yield name
    await client.delete(PIPELINES, namespace, name)


def late(name: str, receiver: Receiver, *, slack: bool = True) -> dict[str, Any]:
    """Give a pipeline whose slot never comes, with a webhook and Slack to tell."""
    webhook = {
        "url": f"{receiver.url}/hook",
        "signing": {"secretRef": {"name": name, "key": "signing"}},
    }
    notify = [{"webhook": webhook}, *([{"slack": {"secretRef": {"name": name, "key": "slack"}}}] if slack else [])]
    return pipeline(name, schedule=NEVER, sla={"freshness": "2s"}, notify=notify)


async def keep_secret(client: Client, namespace: str, name: str, receiver: Receiver) -> None:
    values = {"signing": SIGNING_SECRET, "slack": f"{receiver.url}{SLACK_PATH}"}
    await client.create(SECRETS, namespace, {"metadata": {"name": name}, "stringData": values})


def hooked(receiver: Receiver) -> list[dict[str, Any]]:
    """Give what the webhook got, each message proven to be the operator's."""
    verifier = Verifier(SIGNING_SECRET)
    return [verifier.verify(got.body.decode(), got.headers) for got in receiver.got if got.path == "/hook"]


def slacked(receiver: Receiver) -> list[str]:
    return [json.loads(got.body)["text"] for got in receiver.got if got.path == SLACK_PATH]


def ids(receiver: Receiver) -> list[str]:
    return [got.headers["webhook-id"] for got in receiver.got if got.path == "/hook"]


def everybody_knows(count: int) -> Any:
    return lambda status: len((status.get("sla", {}).get("breaches") or [{}])[0].get("notified", [])) == count


async def restart(operator: RunningOperator) -> None:
    operator.kill()
    operator.start()
    await until_leading(operator)


async def touch(client: Client, namespace: str, name: str, **annotations: str) -> None:
    def edit(live: dict[str, Any]) -> None:
        live["metadata"].setdefault("annotations", {}).update(annotations)

    await edited(client, PIPELINES, namespace, name, edit)


async def test_a_pipeline_that_never_starts_is_told_of_once_and_its_recovery_once_across_a_restart(
    client: Client, operator: RunningOperator, namespace: str, name: str
) -> None:
    async with Receiver() as receiver:
        await keep_secret(client, namespace, name, receiver)
        await client.create(PIPELINES, namespace, late(name, receiver))
        status = await status_of(client, namespace, name, everybody_knows(2), "both channels know")
        assert condition(status, "SLAMet") == ("False", "FreshnessExceeded")
        assert await drivers(client, namespace, name) == []

        await restart(operator)
        await touch(client, namespace, name, **{RUN_NOW: "now"})
        driver = await driver_of(client, namespace, name)
        assert [one["type"] for one in hooked(receiver)] == ["lakehouse.sla.breached"]
        assert len(slacked(receiver)) == 1

        await finish(client, driver, metrics={"rowsRead": 0})
        await until(lambda: _length(slacked(receiver), 2), "Slack knows of the recovery")
        await until(lambda: _length(hooked(receiver), 2), "the webhook knows of the recovery")

    assert [one["type"] for one in hooked(receiver)][:2] == ["lakehouse.sla.breached", "lakehouse.sla.recovered"]
    assert len(ids(receiver)) == len(set(ids(receiver)))
    await _require_no_secrets(client, operator, namespace, name)


async def _length(found: list[Any], count: int) -> bool:
    return len(found) >= count


async def _require_no_secrets(client: Client, operator: RunningOperator, namespace: str, name: str) -> None:
    resource = await client.get(PIPELINES, namespace, name)
    events = [event async for event in client.list(EVENTS, namespace) if event["regarding"]["name"] == name]
    told = f"{resource} {events} {operator.log.read_text()}"
    assert name in told
    assert {"FreshnessExceeded", "SLARecovered"} <= {event["reason"] for event in events}
    assert all(secret not in told for secret in (SIGNING_SECRET, "s3cr3t"))


async def test_what_was_under_way_when_the_operator_died_is_said_again_under_the_same_id(
    client: Client, operator: RunningOperator, namespace: str, name: str
) -> None:
    async with Receiver(Answer(after=60), Answer()) as receiver:
        await keep_secret(client, namespace, name, receiver)
        await client.create(PIPELINES, namespace, late(name, receiver, slack=False))
        await until(lambda: _length(ids(receiver), 1), "the message has arrived")

        await restart(operator)
        await status_of(client, namespace, name, everybody_knows(1), "the webhook knows")

        assert len(ids(receiver)) == 2
        assert len(set(ids(receiver))) == 1


async def test_a_channel_that_cannot_be_told_holds_up_no_run_and_is_told_when_it_can(
    client: Client, namespace: str, name: str
) -> None:
    async with Receiver() as receiver:
        await client.create(PIPELINES, namespace, late(name, receiver, slack=False))

        def undelivered(status: Mapping[str, Any]) -> Any:
            return status.get("sla", {}).get("undelivered")

        status = await status_of(client, namespace, name, undelivered, "a channel could not be told")
        [wait] = status["sla"]["undelivered"]
        assert (wait["reason"], wait["message"]) == ("SecretMissing", f"there is no Secret {name} in this namespace")
        await touch(client, namespace, name, **{RUN_NOW: "now"})
        await driver_of(client, namespace, name)

        await keep_secret(client, namespace, name, receiver)

        def correct(live: dict[str, Any]) -> None:
            live["spec"]["notify"][0]["webhook"]["url"] += "?corrected"

        await edited(client, PIPELINES, namespace, name, correct)
        await status_of(client, namespace, name, everybody_knows(1), "the corrected channel knows")

    assert [one["type"] for one in hooked(receiver)] == ["lakehouse.sla.breached"]


# --- the guide -------------------------------------------------------------------------------------------------------


async def test_the_guide_works_as_it_is_written(
    client: Client, apiserver: ControlPlane, operator: RunningOperator, namespace: str, tmp_path: Path
) -> None:
    await allow_notifications(client, namespace)
    async with Receiver() as receiver:
        places = {
            "-n crm": f"-n {namespace}",
            "namespace: crm": f"namespace: {namespace}",
            "https://hooks.slack.com": receiver.url,
            "https://alerts.example.com": receiver.url,
        }
        reader = Reader(folder=tmp_path, kubeconfig=apiserver.kubeconfig, places=places)
        told = await asyncio.to_thread(reader.follow, "sla.md")
        await until(lambda: _length(_at(receiver, "/lakehouse"), 2), "the webhook has both messages of the drill")
        await until(lambda: _length(_at(receiver, "/services/T0000/B0000/XXXX"), 2), "Slack has both")
        secret = await client.get(SECRETS, namespace, "sla-alerts")
        await client.delete(PIPELINES, namespace, "sla-contacts")
        await client.delete(SECRETS, namespace, "sla-alerts")

    _require_verified(_at(receiver, "/lakehouse"), secret)
    types = [json.loads(got.body)["type"] for got in _at(receiver, "/lakehouse")]
    assert types == ["lakehouse.sla.breached", "lakehouse.sla.recovered"]
    wide, drill = told[1], told[2]
    assert re.search(r"\bSLA\b.*\n.*\bTrue\b", wide), wide
    assert all(reason in drill for reason in ("FreshnessExceeded", "SLARecovered")), drill


def _at(receiver: Receiver, path: str) -> list[Got]:
    return [got for got in receiver.got if got.path == path]


def _require_verified(found: list[Got], secret: Mapping[str, Any]) -> None:
    """Check the signatures by the guide's own code."""
    code: dict[str, Any] = {}
    [source] = [block.text for block in blocks_of("sla.md") if block.language == "python"]
    exec(source, code)
    signing = base64.b64decode(secret["data"]["signing"]).decode()
    for got in found:
        assert code["verify"](got.headers, got.body, signing)
        assert not code["verify"](got.headers, got.body + b" ", signing)
