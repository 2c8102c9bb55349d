"""Each message of a real topic is read once; what cannot be read, and what is gone, is said."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_dev.kafka import Kafka, start_kafka
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from tests.spark.lake import Lake
from tests.spark.stream import Stream

pytestmark = pytest.mark.spark


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with start_kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture
def stream(broker: Kafka, lake: Lake, tmp_path: Path) -> Stream:
    topic = f"people-{tmp_path.parent.name}-{tmp_path.name}"[-200:]
    broker.create_topic(topic, partitions=2)
    return Stream(broker=broker, lake=lake, topic=topic)


def person(number: int, **more: object) -> str:
    return json.dumps({"id": number} | more)


def test_the_first_batch_reads_all_partitions_from_the_beginning(stream: Stream) -> None:
    stream.send(person(1), person(2))
    stream.send(person(3), partition=1)

    ended = stream.ingest()

    assert ended.result.metrics["rowsWritten"] == 3
    assert stream.read() == [(1, "0", 0), (2, "0", 1), (3, "1", 0)]
    assert ended.result.metrics["newestInputTime"]


def test_later_batches_read_only_what_is_new_and_a_run_without_news_commits_nothing(stream: Stream) -> None:
    stream.send(person(1))
    stream.ingest(slot="1")
    stream.send(person(2))
    stream.send(person(3), partition=1)
    second = stream.ingest(slot="2")

    third = stream.ingest(slot="3")

    assert (second.result.metrics["rowsRead"], third.result.reason) == (2, "NothingNew")
    assert third.result.metrics["tableVersion"] == second.result.metrics["tableVersion"]
    assert third.result.metrics["newestInputTime"] == second.result.metrics["newestInputTime"]
    assert stream.read() == [(1, "0", 0), (2, "0", 1), (3, "1", 0)]
    assert stream.ranges(2) == [(1, 2), (0, 1)]


def test_a_retry_of_a_committed_slot_reports_the_committed_counts(stream: Stream) -> None:
    stream.send(person(1), "x")
    first = stream.ingest(slot="1")
    stream.send(person(2))

    retry = stream.ingest(slot="1", attempt=2)

    assert (retry.result.reason, retry.batches) == ("AlreadyCommitted", first.batches)
    assert stream.read() == [(1, "0", 0)]


def test_a_driver_killed_between_the_two_commits_leaves_nothing_double_or_lost(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    stream.send(person(1), "no json", None)
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            stream.ingest(slot="1")
    stream.send(person(2))

    ended = stream.ingest(slot="1", attempt=2)

    assert (ended.result.metrics["rowsWritten"], ended.result.metrics["rowsQuarantined"]) == (1, 2)
    assert stream.read() == [(1, "0", 0)]
    assert stream.refused() == [("no json", ["Malformed"]), ("{}", ["Tombstone"])]
    stream.ingest(slot="2")
    assert stream.read() == [(1, "0", 0), (2, "0", 3)]


def test_an_added_partition_is_read_from_its_beginning(stream: Stream) -> None:
    stream.send(person(1))
    stream.ingest(slot="1")
    stream.broker.grow_topic(stream.topic, partitions=3)
    stream.send(person(2), person(3), partition=2)

    stream.ingest(slot="2")

    assert stream.read() == [(1, "0", 0), (2, "2", 0), (3, "2", 1)]


def test_a_pipeline_that_begins_at_the_end_reads_what_comes_after_its_first_run(stream: Stream) -> None:
    stream.send(person(1))
    first = stream.ingest(slot="1", kafka={"startingOffsets": "latest"})
    stream.send(person(2))

    stream.ingest(slot="2", kafka={"startingOffsets": "latest"})

    assert first.result.metrics["rowsRead"] == 0
    assert stream.read() == [(2, "0", 1)]


def test_a_backlog_is_read_in_bounded_batches(stream: Stream) -> None:
    stream.send(*map(person, range(6)))
    stream.send(person(10), person(11), partition=1)

    counts = [stream.ingest(slot=slot, kafka={"maxOffsetsPerBatch": 5}).result.metrics["rowsRead"] for slot in "123"]

    assert counts == [5, 3, 0]
    assert [number for number, _, _ in stream.read()] == [0, 1, 2, 3, 4, 5, 10, 11]


def test_an_empty_topic_is_no_fault(stream: Stream) -> None:
    ended = stream.ingest()

    assert (ended.result.outcome, ended.result.reason) == ("Succeeded", "NothingNew")
    assert "is empty so far" in ended.result.message


def test_poison_messages_are_refused_with_reasons_and_never_fail_a_batch(stream: Stream) -> None:
    large = json.dumps({"id": 1, "name": "x" * (10 << 20)})
    stream.send(b"\xff\xfe{", '{"id": 1} trailing', "", '{"id": "one"}', '{"id": 1e400}', large, "[]", "null")

    ended = stream.ingest(
        contract={"type": "object", "properties": {"id": {"type": "integer"}, "name": {"maxLength": 9}}}
    )

    assert ended.result.metrics["rowsQuarantined"] == 8
    refused = {row[:12]: keywords for row, keywords in stream.refused()}
    assert refused["//57"] == ["Encoding"]
    assert refused['{"id": 1, "n'] == ["maxLength"]


def test_wanted_tombstones_are_kept_with_their_key_and_others_passed_over(stream: Stream) -> None:
    stream.send(None, key='Ada "1"')
    stream.send(None, key=b"\xff")
    stream.send(person(1))

    stream.ingest(slot="1")

    assert stream.refused() == [('{"key":"/w=="}', ["Tombstone"]), ('{"key":"Ada \\"1\\""}', ["Tombstone"])]
    stream.send(None, person(2))
    ended = stream.ingest(slot="2", kafka={"tombstones": "Ignore"})
    assert (ended.result.metrics["rowsRead"], ended.result.metrics["rowsQuarantined"]) == (1, 0)


def test_a_topic_that_does_not_exist_is_missing(stream: Stream) -> None:
    with pytest.raises(JobError) as caught:
        stream.ingest(kafka={"topic": "nowhere"})

    assert (caught.value.reason, caught.value.code) == ("SourceMissing", ExitCode.SPEC_WRONG)
    assert "topic nowhere at 127.0.0.1" in caught.value.message
