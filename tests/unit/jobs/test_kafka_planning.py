"""Offsets follow each other without a gap, and whatever is missing is said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse_api.run import ExitCode
from lakehouse_api.sources.kafka import KafkaSource
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.sources.kafka.planning import Topic, is_there, next_offsets, shared
from lakehouse_jobs.ingest.work import OffsetsWork


def source(**changes: Any) -> KafkaSource:
    told = {"bootstrapServers": "broker:9092", "topic": "events", "format": "json"} | changes
    return KafkaSource.model_validate(told)


def topic(first: dict[int, int], end: dict[int, int], *, uid: str = "a", name: str = "events") -> Topic:
    return Topic(name=name, id=uid, first=first, end=end)


def work(**ends: int) -> OffsetsWork:
    ranges = [{"partition": int(each[1:]), "start": 0, "end": end} for each, end in ends.items()]
    return OffsetsWork.model_validate({"topic": "events", "topicId": "a", "ranges": ranges})


def ranges(found: OffsetsWork | None) -> list[tuple[int, int, int]]:
    return [(each.partition, each.start, each.end) for each in found.ranges] if found else []


def refusal(told: KafkaSource, seen: Topic, before: OffsetsWork) -> JobError:
    with pytest.raises(JobError) as caught:
        next_offsets(told, seen, before)
    assert caught.value.code is ExitCode.SPEC_WRONG
    return caught.value


def test_the_first_batch_begins_with_what_is_there() -> None:
    assert ranges(next_offsets(source(), topic({0: 5, 1: 0}, {0: 9, 1: 0}), None)) == [(0, 5, 9), (1, 0, 0)]


def test_an_empty_topic_has_nothing_to_begin_with() -> None:
    assert next_offsets(source(), topic({0: 0}, {0: 0}), None) is None


def test_a_pipeline_that_begins_at_the_end_notes_where_that_is() -> None:
    found = next_offsets(source(startingOffsets="latest"), topic({0: 0}, {0: 9}), None)

    assert ranges(found) == [(0, 9, 9)]


def test_later_batches_go_on_where_the_last_one_ended_and_find_new_partitions() -> None:
    found = next_offsets(source(startingOffsets="latest"), topic({0: 2, 1: 0}, {0: 9, 1: 4}), work(p0=7))

    assert ranges(found) == [(0, 7, 9), (1, 0, 4)]


def test_nothing_new_is_no_work() -> None:
    assert next_offsets(source(), topic({0: 2}, {0: 9}), work(p0=9)) is None


@pytest.mark.parametrize(
    ("seen", "gone"),
    [
        pytest.param(topic({0: 8}, {0: 9}), "offsets 7 to 7 of partition 0", id="aged out"),
        pytest.param(topic({0: 0}, {0: 5}), "offsets 5 to 6 of partition 0", id="cut off at the end"),
        pytest.param(topic({0: 0, 1: 3}, {0: 7, 1: 9}), "offsets 0 to 2 of partition 1", id="of a new partition"),
    ],
)
def test_what_is_gone_before_it_was_read_ends_the_job_with_a_way_out(seen: Topic, gone: str) -> None:
    error = refusal(source(), seen, work(p0=7))

    assert error.reason == "OffsetsLost"
    assert gone in error.message
    assert "lostOffsets: Skip" in error.message


def test_what_is_gone_is_passed_over_and_noted_where_that_is_accepted() -> None:
    found = next_offsets(source(lostOffsets="Skip"), topic({0: 8, 1: 0}, {0: 9, 1: 1}), work(p0=7, p1=3))

    assert found is not None
    assert ranges(found) == [(0, 8, 9), (1, 1, 1)]
    assert [(each.partition, each.start, each.end) for each in found.lost] == [(0, 7, 8), (1, 1, 3)]


def test_a_loss_is_noted_even_if_nothing_is_left_to_read() -> None:
    found = next_offsets(source(lostOffsets="Skip"), topic({0: 9}, {0: 9}), work(p0=7))

    assert found is not None
    assert (found.offsets, len(found.lost)) == (0, 1)


def test_a_topic_created_anew_is_not_taken_for_the_old_one() -> None:
    anew = topic({0: 0}, {0: 9}, uid="b")

    assert refusal(source(), anew, work(p0=7)).reason == "TopicRecreated"
    assert ranges(next_offsets(source(lostOffsets="Skip"), anew, work(p0=7))) == [(0, 0, 9)]


def test_another_topic_is_not_taken_for_the_same_one() -> None:
    other = topic({0: 0}, {0: 9}, name="others")

    assert refusal(source(topic="others", lostOffsets="Skip"), other, work(p0=7)).reason == "TopicChanged"


def test_a_plan_can_be_executed_as_long_as_its_offsets_are_there() -> None:
    planned = work(p0=7, p1=0)

    assert is_there(planned, topic({0: 0, 1: 4, 2: 0}, {0: 7, 1: 9, 2: 1}))
    assert not is_there(planned, topic({0: 1, 1: 0}, {0: 7, 1: 0}))
    assert not is_there(planned, topic({0: 0, 1: 0}, {0: 6, 1: 0}))
    assert not is_there(planned, topic({0: 0, 1: 0}, {0: 7, 1: 0}, uid="b"))


@given(
    available=st.dictionaries(st.integers(0, 50), st.integers(0, 10**9), min_size=1), limit=st.integers(1, 2 * 10**9)
)
def test_a_limit_is_used_up_and_never_gives_a_partition_more_than_it_has(available: dict[int, int], limit: int) -> None:
    share = shared(available, limit)

    assert share.keys() == available.keys()
    assert all(0 <= share[each] <= available[each] for each in share)
    assert sum(share.values()) == min(limit, sum(available.values()))
