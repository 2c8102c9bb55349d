"""Which rows a range has, source by source: ranges that meet share none, and none is ahead of what was read."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.sources.kafka import KafkaSource
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.sources.files.ledger import Ledger, within
from lakehouse_jobs.ingest.sources.jdbc.columns import Column, Kind
from lakehouse_jobs.ingest.sources.jdbc.window import between, place_of, pointed
from lakehouse_jobs.ingest.sources.kafka.planning import Span, Topic, again_offsets
from lakehouse_jobs.ingest.sources.rest.api import Record
from lakehouse_jobs.ingest.sources.rest.progress import Progress, again, window_of
from lakehouse_jobs.ingest.work import OffsetRange, OffsetsWork, WindowWork
from lakehouse_jobs.storage import Stored

START = datetime(2026, 1, 1, tzinfo=UTC)
seconds = st.integers(0, 1000)
cuts = st.lists(seconds, min_size=2, max_size=6, unique=True).map(sorted)


def at(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat()


def wanted(first: str | None, until: str | None, **more: Any) -> BackfillRange:
    return BackfillRange.model_validate({"from": first, "until": until} | more)


def holds(work: WindowWork, kind: Kind, value: str) -> bool:
    """Read a work's bounds as its statement does."""
    place = place_of(kind, value)
    above = work.first is None or place >= place_of(kind, work.first)
    below = work.end is None or place < place_of(kind, work.end)
    return above and below and (work.until is None or place <= place_of(kind, work.until))


@given(st.lists(seconds, max_size=20), cuts, seconds)
def test_slices_of_a_table_have_each_row_up_to_the_watermark_once(rows: list[int], edges: list[int], mark: int) -> None:
    cursor = Column(name="n", type="int8", kind=Kind.INTEGER)
    works = [between(cursor, first=str(one), end=str(other), watermark=str(mark)) for one, other in pairwise(edges)]

    found = [row for work in works if work for row in rows if holds(work, Kind.INTEGER, str(row))]

    assert sorted(found) == sorted(row for row in rows if edges[0] <= row < edges[-1] and row <= mark)
    assert {work.watermark for work in works if work} <= {str(mark)}, "the next run begins where it would have"


@given(st.lists(st.floats(0, 1000), max_size=20), cuts, seconds)
def test_slices_of_an_api_have_each_record_up_to_the_watermark_once(
    rows: list[float], edges: list[int], mark: int
) -> None:
    progress = Progress(cursor="changed", watermark=START + timedelta(seconds=mark))
    works = [again(wanted(at(one), at(other)), progress, dated=False) for one, other in pairwise(edges)]
    texts = [at(row) for row in rows]

    windows = [window_of(work) for work in works if work]
    found = [text for window in windows for text in texts if window.holds(Record(cursor=text, row="{}"))]

    assert sorted(found) == sorted(text for text in texts if at(edges[0]) <= text < at(edges[-1]) and text <= at(mark))
    assert not any(window.holds(Record(cursor=None, row="{}")) for window in windows)
    for window in windows:
        assert window.after is not None, "an API is asked for more than a second before"
        assert window.first is not None
        assert window.after < window.first


@given(st.lists(st.tuples(seconds, seconds, seconds, seconds), min_size=1, max_size=4))
def test_of_a_topic_only_what_was_read_and_is_there_is_read_again(each: list[tuple[int, int, int, int]]) -> None:
    first = {partition: one for partition, (one, *_) in enumerate(each)}
    reached = {partition: first[partition] + two for partition, (_, two, *_) in enumerate(each)}
    topic = Topic(name="t", id="a", first=first, end={one: end + 5 for one, end in reached.items()})
    ranges = [OffsetRange(partition=one, start=0, end=end) for one, end in reached.items()]
    before = OffsetsWork(topic="t", topic_id="a", ranges=ranges)
    span = Span(
        start={partition: three for partition, (*_, three, _) in enumerate(each)},
        end={partition: four for partition, (*_, four) in enumerate(each)},
    )
    source = KafkaSource.model_validate({"bootstrapServers": "b:1", "topic": "t", "format": "json"})

    work = again_offsets(source, topic, before, span)

    read = {(one.partition, place) for one in (work.ranges if work else []) for place in range(one.start, one.end)}
    assert read == {
        (partition, place)
        for partition in first
        for place in range(span.start[partition], span.end[partition])
        if first[partition] <= place < reached[partition]
    }
    assert work is None or work.reached == reached, "the next run begins where it would have"
    gone = {partition for partition, _ in read if first[partition] > 0 and span.start[partition] <= first[partition]}
    assert {one.partition for one in (work.aged if work else ())} == gone, "what aged out is told"


@given(st.lists(st.tuples(seconds, st.booleans(), st.booleans()), max_size=12), cuts)
def test_files_are_of_the_range_in_which_they_were_written_if_they_were_read_as_they_are(
    files: list[tuple[int, bool, bool]], edges: list[int]
) -> None:
    begin = int(START.timestamp())
    listing = [
        Stored(uri=f"s3://b/in/{'01' if deep else '02'}/{n}", size=1, modified=(begin + second) * 1000, etag="new")
        for n, (second, _, deep) in enumerate(files)
    ]
    etags = {file.uri: "new" if same else "old" for file, (_, same, _) in zip(listing, files, strict=True)}
    ledger = Ledger(etags=etags)

    found = [
        file
        for one, other in pairwise(edges)
        for file in within(wanted(at(one), at(other), prefix="01/"), ledger, listing, "s3://b/in")
    ]

    assert sorted(file.uri for file in found) == sorted(
        file.uri
        for file, (second, same, deep) in zip(listing, files, strict=True)
        if same and deep and edges[0] <= second < edges[-1]
    )


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        pytest.param(Kind.MOMENT, "2026-01-01", "2025-12-31T23:00:00+00:00", id="a day is its first moment"),
        pytest.param(Kind.MOMENT, "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.5+00:00", id="a moment"),
        pytest.param(Kind.LOCAL, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00", id="what a clock there shows"),
        pytest.param(Kind.LOCAL, "2026-01-01T07:00:00", "2026-01-01T07:00:00", id="a time without a zone"),
        pytest.param(Kind.DATE, "2026-01-01", "2026-01-01", id="a date"),
        pytest.param(Kind.INTEGER, "100", "100", id="an integer"),
        pytest.param(Kind.NUMBER, "0.10", "0.10", id="a number"),
    ],
)
def test_an_end_is_written_as_a_value_of_the_cursor(kind: Kind, text: str, value: str) -> None:
    assert pointed(kind, text, "Europe/Berlin") == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.DATE, "2026-01-01T00:00:00Z"),
        (Kind.INTEGER, "0.5"),
        (Kind.INTEGER, "2026-01-01"),
        (Kind.NUMBER, "2026-01-01"),
        (Kind.MOMENT, "1000"),
        (Kind.TEXT, "a"),
    ],
)
def test_what_is_no_value_of_the_cursor_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        pointed(kind, text, "UTC")


def test_an_hour_is_no_end_of_days_and_a_number_none_of_times() -> None:
    progress = Progress(cursor="date", watermark=START)

    for first in ("2025-01-01T12:00:00Z", "1000.5"):
        with pytest.raises(JobError) as caught:
            again(wanted(first, "2025-02-01"), progress, dated=True)
        assert caught.value.reason == "BackfillRefused"
