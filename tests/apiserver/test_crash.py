"""The operator is killed at random moments while runs start, fail, are tried again and end; nothing may show it."""

import asyncio
import hashlib
import logging
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.annotations import RUN_NOW
from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core import names
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS
from tests.apiserver.running import (
    PIPELINES,
    RunningOperator,
    begin,
    drivers,
    edited,
    finish,
    pipeline,
    until,
    until_leading,
)
from tests.apiserver.world import temporary_namespace

pytestmark = [pytest.mark.apiserver, pytest.mark.timeout(900)]
KILLS = 30
STEPS = 48  # as many slots as a history can hold
NAMES = [f"accounts-{number}" for number in range(10)]
SETTINGS = {
    "retry": {"maxAttempts": 2, "backoff": "1s", "maxBackoff": "1s"},
    "history": {"successful": 50, "failed": 50},
}
SUSPENDED = "suspended"
_log = logging.getLogger(__name__)


class Story:
    """What users do to one pipeline, one wish after another; the operator knows nothing of it."""

    def __init__(self, client: Client, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self.steps = 0

    async def begin(self) -> None:
        await self._client.create(PIPELINES, self._namespace, pipeline(self._name, **SETTINGS))
        await self._recorded(1)

    async def step(self) -> None:
        """Wish for one more slot and wait until it ran or was skipped."""
        self.steps += 1
        await self._wish()
        await self._recorded(1 + self.steps)
        await self._set(suspend=False)

    async def _wish(self) -> None:
        if self.steps % 6 == 5:
            await self._ask_while_suspended()
        elif self.steps % 2:
            await self._ask()
        else:
            await self._change()

    async def _ask(self) -> None:
        await self._set(token=f"token-{self.steps}")

    async def _change(self) -> None:
        await self._set(uri=f"s3://landing/{self._name}/{self.steps}/")

    async def _ask_while_suspended(self) -> None:
        await self._set(suspend=True)
        await self._set(token=f"{SUSPENDED}-{self.steps}")

    async def _set(self, *, token: str | None = None, uri: str | None = None, suspend: bool | None = None) -> None:
        """Change the pipeline; what the operator writes meanwhile is none of the user's business."""

        def edit(live: dict[str, Any]) -> None:
            if token is not None:
                live["metadata"].setdefault("annotations", {})[RUN_NOW] = token
            if uri is not None:
                live["spec"]["source"]["files"]["uri"] = uri
            if suspend is not None:
                live["spec"]["suspend"] = suspend

        await edited(self._client, PIPELINES, self._namespace, self._name, edit)

    async def _recorded(self, slots: int) -> None:
        async def met() -> bool:
            status = (await self._client.get(PIPELINES, self._namespace, self._name)).get("status") or {}
            return len(status.get("history") or ()) >= slots

        await until(met, f"{self._name} has {slots} slots in its history")


async def play_kubelet(client: Client, namespace: str) -> None:
    """Run every driver: some first attempts fail, by their name alone, so that two worlds can be compared."""
    while True:
        for pod in await drivers(client, namespace):
            phase = pod["status"].get("phase")
            if phase == "Pending":
                await begin(client, pod)
            elif phase == "Running":
                await finish(client, pod, **result_of(pod))
        await asyncio.sleep(0.05)


def result_of(pod: dict[str, Any]) -> dict[str, Any]:
    metadata = pod["metadata"]
    seed = metadata["labels"][names.NAME] + metadata["annotations"][names.SLOT]
    unlucky = hashlib.sha256(seed.encode()).digest()[0] % 4 == 0
    if unlucky and metadata["labels"][names.ATTEMPT] == "1":
        return {"outcome": "Failed", "reason": "SourceUnavailable", "message": "no answer", "retry": True}
    return {"metrics": {"rowsWritten": 3}}


async def world(client: Client, namespace: str) -> dict[str, Any]:
    """Give everything that is left, without times and without what differs between two namespaces."""
    resources = [body async for body in client.list(PIPELINES, namespace)]
    pods = await drivers(client, namespace)
    maps = [body async for body in client.list(CONFIG_MAPS, namespace, labels=names.RUN_SELECTOR)]
    return {
        "status": {body["metadata"]["name"]: timeless(body["status"]) for body in resources},
        "drivers": sorted(attempt_of(pod) for pod in pods),
        "config maps": sorted(attempt_of(body) for body in maps),
        "held": [
            pod["metadata"]["name"] for pod in await drivers(client, namespace) if pod["metadata"].get("finalizers")
        ],
    }


def attempt_of(body: dict[str, Any]) -> tuple[str, str, str]:
    metadata = body["metadata"]
    return metadata["labels"][names.NAME], metadata["annotations"][names.SLOT], metadata["labels"][names.ATTEMPT]


def timeless(part: Any) -> Any:
    if isinstance(part, list):
        return [timeless(one) for one in part]
    if not isinstance(part, dict):
        return part
    dropped = {"id", "log", "finishedAt", "startedAt", "lastTransitionTime", "lastSuccessTime", "observedGeneration"}
    return {key: timeless(value) for key, value in part.items() if key not in dropped}


async def settled(client: Client, namespace: str) -> dict[str, Any]:
    """Wait until nothing is held, nothing runs and nothing changes, then give what is left."""
    before: list[dict[str, Any]] = []

    async def met() -> dict[str, Any] | None:
        now = await world(client, namespace)
        busy = now["held"] or any(status.get("active") or status.get("retry") for status in now["status"].values())
        before.append(now)
        await asyncio.sleep(0.5)
        return None if busy or len(before) < 2 or before[-2] != now else now

    found: dict[str, Any] = await until(met, "the world is settled")
    return found


async def kill_again_and_again(operator: RunningOperator, enough: asyncio.Event) -> None:
    try:
        for _ in range(KILLS):
            await until_leading(operator)
            await asyncio.sleep(random.uniform(0.0, 1.5))
            operator.kill()
            operator.start()
    finally:
        enough.set()


async def live(
    client: Client, namespace: str, steps: dict[str, int] | None = None, enough: asyncio.Event | None = None
) -> dict[str, int]:
    """Live all stories at once: so many steps each, or until it is enough; answers how many steps each took."""
    stories = {name: Story(client, namespace, name) for name in NAMES}

    async def one(name: str) -> None:
        story = stories[name]
        await story.begin()
        while story.steps < (steps[name] if steps else STEPS) and not (enough and enough.is_set()):
            await story.step()

    kubelet = asyncio.create_task(play_kubelet(client, namespace))
    try:
        await asyncio.gather(*(one(name) for name in NAMES))
    finally:
        kubelet.cancel()
        await asyncio.gather(kubelet, return_exceptions=True)
    return {name: story.steps for name, story in stories.items()}


async def test_killing_the_operator_thirty_times_leaves_the_same_world(
    installed: ControlPlane, client: Client, tmp_path: Path
) -> None:
    async with temporary_namespace(client) as killed, temporary_namespace(client) as calm:
        operator = RunningOperator(
            directory=tmp_path,
            kubeconfig=installed.kubeconfig,
            lease="killed",
            lease_namespace=killed,
            namespaces=(killed, calm),
        ).start()
        enough = asyncio.Event()
        killer = asyncio.create_task(kill_again_and_again(operator, enough))
        steps = await live(client, killed, enough=enough)
        await killer
        disturbed = await settled(client, killed)
        await live(client, calm, steps=steps)
        undisturbed = await settled(client, calm)
        operator.stop()

    assert disturbed == undisturbed
    assert max(Counter(disturbed["drivers"]).values()) == 1
    for name, taken in steps.items():
        assert every_slot_once(disturbed["status"][name], taken)
    _log.info("%d slots, %d attempts, %d kills", sum(steps.values()), len(disturbed["drivers"]), KILLS)


def every_slot_once(status: dict[str, Any], steps: int) -> bool:
    """Tell whether each slot wished for is in the history once, as run or as skipped with its reason."""
    records = status["history"]
    skipped = [record for record in records if SUSPENDED in record["slot"]]
    return (
        len({record["slot"] for record in records}) == len(records) == steps + 1
        and all((one["outcome"], one["reason"]) == ("Skipped", "Suspended") for one in skipped)
        and all(one["outcome"] == "Succeeded" for one in records if one not in skipped)
    )
