"""Each message of a real topic is read once; what cannot be read, and what is gone, is said."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from tests.spark.stream import Stream

pytestmark = pytest.mark.spark


def person(number: int, **more: object) -> str:
    return json.dumps({"id": number} | more)


def test_later_batches_go_on_where_the_last_one_ended_in_added_partitions_too(stream: Stream) -> None:
    stream.send(person(1))
    first = stream.ingest(slot="1")
    stream.broker.grow_topic(stream.topic, partitions=3)
    stream.send(person(2))
    stream.send(person(3), person(4), partition=2)
    second = stream.ingest(slot="2", kafka={"maxOffsetsPerBatch": 2})
    third = stream.ingest(slot="3")

    fourth = stream.ingest(slot="4")

    assert first.result.metrics["newestInputTime"]
    assert [each.result.metrics["rowsRead"] for each in (first, second, third, fourth)] == [1, 2, 1, 0]
    assert (fourth.result.reason, fourth.result.metrics["tableVersion"]) == ("NoNewRows", 2)
    assert fourth.result.metrics["newestInputTime"] == third.result.metrics["newestInputTime"]
    assert stream.read() == [(1, "0", 0), (2, "0", 1), (3, "2", 0), (4, "2", 1)]


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


def test_messages_of_a_span_of_time_are_read_again_in_the_place_of_what_was_read(stream: Stream) -> None:
    stream = replace(stream, topic=f"{stream.topic}-kept")
    keep: dict[str, Any] = {"retention.ms": "-1"}
    stream.broker.create_topic(stream.topic, **keep)
    producer, span = stream.broker.producer(), {"from": "2026-11-01T01:00:00Z", "until": "2026-11-01T03:00:00Z"}

    def send(hour: int, *values: str) -> None:
        at = datetime(2026, 11, 1, hour, tzinfo=UTC)
        for value in values:
            producer.produce(stream.topic, value, partition=0, timestamp=int(at.timestamp() * 1000))
        assert producer.flush(30) == 0

    send(0, person(0))
    send(1, person(1, name=1))
    send(2, person(2), person(2, name="long"))
    send(3, person(3))
    stream.ingest(slot="1")
    send(2, person(4))

    known = stream.ingest(slot="backfill:a/1", backfill=span)
    contract = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["string", "integer"]}}}
    ended = stream.ingest(slot="backfill:b/1", backfill={**span, "replace": True}, contract=contract)
    stream.ingest(slot="2", contract=contract)

    assert (known.result.metrics["rowsRead"], ended.result.metrics["offsetsRead"]) == (0, 3)
    assert stream.lake.rows("id", "_ingest_row", "_ingest_batch") == [
        *((0, 0, 1), (1, 1, 3), (2, 2, 3)),
        *((2, 3, 3), (3, 4, 1), (4, 5, 4)),
    ]
    table = stream.lake.table("bronze/people__quarantine")
    assert [row[0] for row in table.select("_status_batch").collect()] == [3]


def test_an_empty_topic_is_no_fault(stream: Stream) -> None:
    ended = stream.ingest()

    assert (ended.result.outcome, ended.result.reason) == ("Succeeded", "NoNewRows")
    assert "is empty so far" in ended.result.message


def test_poison_messages_are_refused_with_reasons_and_never_fail_a_batch(stream: Stream) -> None:
    large = json.dumps({"id": 1, "name": "x" * (10 << 20)})
    stream.send(b"\xff\xfe{", '{"id": 1} trailing', "", '{"id": "one"}', '{"id": 1e400}', large, "[]", "null")
    stream.send(None, key='Ada "1"')
    stream.send(None, key=b"\xff")
    short = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string", "maxLength": 9}}}

    ended = stream.ingest(contract=short)

    assert (ended.result.metrics["rowsWritten"], ended.result.metrics["rowsQuarantined"]) == (0, 10)
    assert {row[:16]: keywords for row, keywords in stream.refused()} == {
        "": ["Malformed"],
        "//57": ["Encoding"],
        "[]": ["type"],
        "null": ["type"],
        '{"id": "one"}': ["type"],
        '{"id": 1e400}': ["type"],
        '{"id": 1, "name"': ["maxLength"],
        '{"id": 1} traili': ["Malformed"],
        '{"key":"/w=="}': ["Tombstone"],
        '{"key":"Ada \\"1\\': ["Tombstone"],
    }


def test_tombstones_can_be_passed_over(stream: Stream) -> None:
    stream.send(None, person(2))

    ended = stream.ingest(kafka={"tombstones": "Ignore"})

    assert (ended.result.metrics["rowsRead"], ended.result.metrics["offsetsRead"]) == (1, 2)


def test_a_topic_that_does_not_exist_is_missing(stream: Stream) -> None:
    with pytest.raises(JobError) as caught:
        stream.ingest(kafka={"topic": "nowhere"})

    assert (caught.value.reason, caught.value.code) == ("SourceMissing", ExitCode.SPEC_WRONG)
    assert "topic nowhere at 127.0.0.1" in caught.value.message
