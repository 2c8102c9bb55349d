"""What the courier takes, keeps and forgets."""

import asyncio
from dataclasses import replace

import pytest

from lakehouse_operator.core.notices import Notice
from lakehouse_operator.delivery.courier import Courier
from lakehouse_operator.delivery.errors import DeliveryError
from lakehouse_operator.handlers.clock import utc_now
from tests.promised import SLACK, WEBHOOK, Told

KEY = "lakehouse/crm-accounts"
SECRET = "https://hooks.example/s3cr3t"


class Way:
    """A courier whose deliveries end when and how the test says."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.woken: list[str] = []
        self.counted: list[tuple[str, str]] = []
        self.open = asyncio.Event()
        self.fault: Exception | None = None
        self.leads = True
        self.courier = Courier[str](
            send=self._send,
            wake=self.woken.append,
            leads=lambda: self.leads,
            clock=utc_now,
            count=lambda channel, result: self.counted.append((channel, result)),
        )

    async def _send(self, namespace: str, notice: Notice) -> None:
        self.sent.append(notice.channel_id)
        await self.open.wait()
        if self.fault:
            raise self.fault

    async def settle(self) -> None:
        self.open.set()
        await self.courier.drain(10)


def _notices() -> tuple[Notice, ...]:
    return Told(notify=[WEBHOOK, SLACK]).after(hours=3).notices


async def test_a_message_is_under_way_once_however_often_it_is_handed_over() -> None:
    way = Way()

    for _ in range(3):
        way.courier.take(KEY, "lakehouse", _notices())
        await asyncio.sleep(0)
    await way.settle()

    assert sorted(way.sent) == sorted(notice.channel_id for notice in _notices())


async def test_what_has_ended_is_not_tried_again_before_it_is_in_the_status() -> None:
    way = Way()
    way.courier.take(KEY, "lakehouse", _notices())
    await way.settle()

    way.courier.take(KEY, "lakehouse", _notices())

    assert len(way.sent) == 2
    deliveries = way.courier.deliveries(KEY)
    way.courier.noted(KEY, deliveries)
    assert (len(deliveries), way.courier.deliveries(KEY)) == (2, ())


async def test_what_ended_meanwhile_is_kept() -> None:
    way = Way()
    way.courier.take(KEY, "lakehouse", _notices()[:1])
    await way.settle()
    first = way.courier.deliveries(KEY)
    way.courier.take(KEY, "lakehouse", _notices()[1:])
    await way.settle()

    way.courier.noted(KEY, first)

    assert [one.channel_id for one in way.courier.deliveries(KEY)] == [_notices()[1].channel_id]


async def test_a_resource_is_looked_at_when_its_delivery_has_ended() -> None:
    way = Way()
    way.courier.take(KEY, "lakehouse", _notices())
    await asyncio.sleep(0)
    assert way.woken == []

    await way.settle()

    assert way.woken == [KEY, KEY]
    assert sorted(way.counted) == [("slack", "delivered"), ("webhook", "delivered")]


async def test_a_failure_is_a_result_like_any_other() -> None:
    way = Way()
    way.fault = DeliveryError("ReceiverUnavailable", "it answered HTTP 503", wait_seconds=7)
    way.courier.take(KEY, "lakehouse", _notices()[:1])
    await way.settle()

    [delivery] = way.courier.deliveries(KEY)

    assert delivery.failure == way.fault.failure
    assert way.counted == [("webhook", "ReceiverUnavailable")]


async def test_a_fault_of_our_own_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    way = Way()
    way.fault = ValueError(SECRET)
    way.courier.take(KEY, "lakehouse", _notices()[:1])
    await way.settle()

    [delivery] = way.courier.deliveries(KEY)

    assert delivery.failure is not None
    assert delivery.failure.reason == "Unexpected"
    assert SECRET not in f"{delivery}{caplog.text}{[record.__dict__ for record in caplog.records]}"


async def test_a_process_that_no_longer_leads_says_nothing() -> None:
    way = Way()
    way.leads = False

    way.courier.take(KEY, "lakehouse", _notices())
    await way.settle()

    assert (way.sent, way.courier.deliveries(KEY)) == ([], ())


async def test_at_the_end_what_does_not_arrive_is_cut_off_and_left_to_another_process() -> None:
    way = Way()
    way.courier.take(KEY, "lakehouse", _notices())
    await asyncio.sleep(0)

    await way.courier.drain(0)
    await asyncio.sleep(0)

    assert way.courier.deliveries(KEY) == ()


async def test_a_resource_that_is_gone_leaves_nothing_behind() -> None:
    way = Way()
    way.courier.take(KEY, "lakehouse", _notices())
    await way.settle()

    way.courier.forget(KEY)

    assert way.courier.deliveries(KEY) == ()


async def test_another_attempt_is_made_when_the_last_one_is_in_the_status() -> None:
    way = Way()
    way.courier.take(KEY, "lakehouse", _notices()[:1])
    await way.settle()
    way.courier.noted(KEY, way.courier.deliveries(KEY))

    way.courier.take(KEY, "lakehouse", [replace(_notices()[0], attempt=2)])
    await way.settle()

    assert [one.attempt for one in way.courier.deliveries(KEY)] == [2]
