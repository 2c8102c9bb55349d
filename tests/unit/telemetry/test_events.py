"""Events are told once and never hold anything up."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lakehouse_operator.core.plan import Event, EventType
from lakehouse_operator.telemetry.events import WAITING_LIMIT, EventRecorder
from tests.gen import pipeline

STARTED = Event(type=EventType.NORMAL, reason="RunStarted", message="started ing-a-1")
NOW = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


class Posted:
    """A recorder, what it posted and how often it dropped something."""

    def __init__(self) -> None:
        self.manifests: list[dict[str, Any]] = []
        self.dropped = 0
        self.broken = False
        self.recorder = EventRecorder(post=self._post, clock=lambda: NOW, instance="pod-1", dropped=self._drop)

    async def _post(self, namespace: str, manifest: dict[str, Any]) -> None:
        if self.broken:
            raise RuntimeError("no answer")
        self.manifests.append(manifest)

    def _drop(self) -> None:
        self.dropped += 1

    async def post_all(self) -> list[dict[str, Any]]:
        task = asyncio.create_task(self.recorder.run())
        await self.recorder.flush()
        task.cancel()
        return self.manifests


async def test_an_event_names_who_it_is_about_and_who_tells() -> None:
    posted = Posted()
    posted.recorder.emit(pipeline(), STARTED)

    (event,) = await posted.post_all()

    assert (event["regarding"]["name"], event["regarding"]["kind"]) == ("crm-accounts", "IngestPipeline")
    assert (event["type"], event["reason"], event["note"]) == ("Normal", "RunStarted", "started ing-a-1")
    assert event["reportingController"] == "lakehouse-operator"


async def test_the_same_event_is_told_once() -> None:
    posted = Posted()
    for _ in range(3):
        posted.recorder.emit(pipeline(), STARTED)

    assert len(await posted.post_all()) == 1


async def test_what_is_said_of_another_generation_is_another_event() -> None:
    posted = Posted()
    posted.recorder.emit(pipeline(), STARTED)
    posted.recorder.emit(replace(pipeline(), generation=2), STARTED)

    names = [event["metadata"]["name"] for event in await posted.post_all()]

    assert len(set(names)) == 2


async def test_too_many_events_are_dropped_and_counted() -> None:
    posted = Posted()
    for number in range(WAITING_LIMIT + 5):
        posted.recorder.emit(pipeline(), replace(STARTED, message=str(number)))

    assert posted.dropped == 5


async def test_an_event_that_cannot_be_posted_ends_nothing() -> None:
    posted = Posted()
    posted.broken = True
    posted.recorder.emit(pipeline(), STARTED)
    await posted.post_all()
    posted.broken = False
    posted.recorder.emit(pipeline(), replace(STARTED, message="started ing-a-2"))

    assert len(await posted.post_all()) == 1
    assert posted.dropped == 1


async def test_a_message_that_is_too_long_is_cut_to_what_the_api_server_takes() -> None:
    posted = Posted()
    posted.recorder.emit(pipeline(), replace(STARTED, message="x" * 5000))

    assert len((await posted.post_all())[0]["note"]) == 1024
