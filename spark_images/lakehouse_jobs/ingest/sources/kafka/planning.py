"""Which offsets the next batch reads, decided from values alone. No I/O here.

A batch begins where the one before it ended, partition by partition; a partition that is new begins at 0. What the
topic no longer has, or has anew, is never passed over in silence: the job ends, unless the source says to go on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lakehouse_api.sources.kafka import KafkaSource, LostOffsets, StartingOffsets
from lakehouse_jobs.failures import JobError, spec_wrong
from lakehouse_jobs.ingest.outcome import shown
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.work import OffsetRange, OffsetsWork

_GO_ON: Final = (
    "To go on with what the topic has now, set source.kafka.lostOffsets: Skip until a run has succeeded; to read all "
    "of it again, set the annotation lakehouse.dev/reread."
)


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A topic as it is now: its id, and by partition the first offset and the one after the last stable message."""

    name: str
    id: str
    first: Mapping[int, int]
    end: Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class Span:
    """By partition, the offsets of the first messages at or after two points in time."""

    start: Mapping[int, int]
    end: Mapping[int, int]


def offsets_work(plan: Plan) -> OffsetsWork:
    """Give a plan's work, which must be of offsets; another kind of source has other plans."""
    if not isinstance(plan.work, OffsetsWork):
        raise TypeError(f"batch {plan.batch} reads {plan.work.kind}, not offsets")
    return plan.work


def next_offsets(source: KafkaSource, topic: Topic, before: OffsetsWork | None) -> OffsetsWork | None:
    """Decide what the next batch reads; `before` is what the last committed batch read. None: nothing new."""
    if before is None:
        return _first(source, topic)
    starts = _starts(source, topic, before)
    lost = tuple(_lost(topic, starts))
    if lost and source.lost_offsets is LostOffsets.FAIL:
        raise _offsets_lost(topic, lost)
    held = {each: min(max(start, topic.first[each]), topic.end[each]) for each, start in starts.items()}
    work = _work(source, topic, held, lost)
    return work if work.offsets or lost else None


def _first(source: KafkaSource, topic: Topic) -> OffsetsWork | None:
    """Begin. An empty batch at the end of the topic is one too: it says where the next one begins."""
    latest = source.starting_offsets is StartingOffsets.LATEST
    work = _work(source, topic, topic.end if latest else topic.first)
    return work if work.offsets or latest else None


def _starts(source: KafkaSource, topic: Topic, before: OffsetsWork) -> dict[int, int]:
    if before.topic != topic.name:
        raise spec_wrong(
            "TopicChanged",
            f"this pipeline has read topic {before.topic}, not {topic.name}. Read another topic by another pipeline, "
            "or set the annotation lakehouse.dev/reread to begin with this one.",
        )
    if before.topic_id == topic.id:
        return dict.fromkeys(topic.first, 0) | before.reached
    if source.lost_offsets is LostOffsets.FAIL:
        raise spec_wrong(
            "TopicRecreated",
            f"topic {topic.name} was deleted and created anew since the last batch: its offsets mean other messages. "
            f"{_GO_ON}",
        )
    return dict(topic.first)


def again_offsets(source: KafkaSource, topic: Topic, before: OffsetsWork, wanted: Span) -> OffsetsWork | None:
    """Decide what a backfill reads: what of a span was read before and is there still. None: nothing."""
    reached = _starts(source, topic, before)
    ranges = []
    for each, end in sorted(reached.items()):
        start = min(max(wanted.start[each], topic.first[each]), end)
        ranges.append(OffsetRange(partition=each, start=start, end=max(start, min(wanted.end[each], end))))
    work = OffsetsWork(
        topic=topic.name,
        topic_id=topic.id,
        ranges=ranges,
        positions=reached,
        aged=tuple(_aged(topic, ranges)),
        newest_input=before.newest_input,
    )
    return work if work.offsets else None


def _aged(topic: Topic, ranges: Iterable[OffsetRange]) -> Iterator[OffsetRange]:
    """Find what may have been of a range that begins with the first message that is left."""
    for each in ranges:
        if 0 < topic.first[each.partition] == each.start < each.end:
            yield OffsetRange(partition=each.partition, start=0, end=each.start)


def _lost(topic: Topic, starts: Mapping[int, int]) -> Iterator[OffsetRange]:
    """Find what was not read and is not there: aged out at the beginning, or cut off at the end."""
    for each, start in sorted(starts.items()):
        if start < topic.first[each]:
            yield OffsetRange(partition=each, start=start, end=topic.first[each])
        elif start > topic.end[each]:
            yield OffsetRange(partition=each, start=topic.end[each], end=start)


def _offsets_lost(topic: Topic, lost: tuple[OffsetRange, ...]) -> JobError:
    gone = shown(each.shown for each in lost)
    return spec_wrong(
        "OffsetsLost",
        f"topic {topic.name} no longer has {gone}, and they were not read: they aged out before a run came, or "
        f"the brokers lost them. {_GO_ON}",
    )


def _work(
    source: KafkaSource, topic: Topic, starts: Mapping[int, int], lost: tuple[OffsetRange, ...] = ()
) -> OffsetsWork:
    available = {each: topic.end[each] - start for each, start in sorted(starts.items())}
    share = shared(available, source.max_offsets_per_batch)
    ranges = [OffsetRange(partition=each, start=starts[each], end=starts[each] + share[each]) for each in share]
    return OffsetsWork(topic=topic.name, topic_id=topic.id, ranges=ranges, lost=lost)


def shared(available: Mapping[int, int], limit: int | None) -> dict[int, int]:
    """Give each partition its share of at most `limit` offsets, in proportion to what it has."""
    total = sum(available.values())
    if limit is None or total <= limit:
        return dict(available)
    share = {each: count * limit // total for each, count in available.items()}
    rest = limit - sum(share.values())
    for each in sorted(available, key=lambda each: (share[each] - available[each], each))[:rest]:
        share[each] += 1
    return share


def is_there(work: OffsetsWork, topic: Topic) -> bool:
    """Tell whether a topic still has all offsets that a work is to read."""
    wanted = [each for each in work.ranges if each.end > each.start]
    return work.topic_id == topic.id and all(
        topic.first[each.partition] <= each.start and each.end <= topic.end[each.partition] for each in wanted
    )
