"""Each key at most once in line and never in two hands."""

import asyncio

from lakehouse_operator.handlers.queue import WorkQueue
from lakehouse_operator.kube.store import Key

A, B = Key("IngestPipeline", "lakehouse", "a"), Key("IngestPipeline", "lakehouse", "b")


async def test_keys_come_in_the_order_they_were_added_and_once() -> None:
    queue = WorkQueue()
    for key in (A, B, A, A):
        queue.add(key)

    assert [await queue.get(), await queue.get()] == [A, B]
    assert queue.depth == 0


async def test_a_key_that_is_worked_on_comes_again_afterwards() -> None:
    queue = WorkQueue()
    queue.add(A)
    await queue.get()
    queue.add(A)
    queue.add(A)
    assert (queue.depth, queue.working) == (0, 1)

    queue.done(A)

    assert await queue.get() == A
    assert queue.depth == 0


async def test_a_key_comes_when_its_time_has_come() -> None:
    queue = WorkQueue()
    queue.schedule(A, 0.01)
    queue.schedule(B, 0)

    assert [await queue.get(), await queue.get()] == [B, A]


async def test_a_new_time_replaces_the_old_one() -> None:
    queue = WorkQueue()
    queue.schedule(A, 0.01)
    queue.schedule(A, None)
    queue.schedule(B, 1000)
    queue.schedule(B, 0.02)

    assert await queue.get() == B
    assert queue.depth == 0


async def test_a_closed_queue_gives_nothing_to_anybody() -> None:
    queue = WorkQueue()
    workers = [asyncio.create_task(queue.get()) for _ in range(3)]
    await asyncio.sleep(0)

    queue.close()
    queue.add(A)

    assert await asyncio.gather(*workers, queue.get()) == [None] * 4


async def test_the_age_is_that_of_the_oldest_in_line_or_in_work() -> None:
    queue = WorkQueue()
    assert queue.oldest_seconds == 0.0
    queue.add(A)
    await queue.get()
    queue.add(B)
    await asyncio.sleep(0.01)

    assert queue.oldest_seconds >= 0.01
