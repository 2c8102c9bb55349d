"""The Kafka source: offsets frozen in the plan, read as often as it takes: what lies at an offset never changes."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from pyspark.sql import DataFrame

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.sources.kafka import KafkaSource
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import failure_of, unavailable
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.points import instant
from lakehouse_jobs.ingest.rows import no_rows
from lakehouse_jobs.ingest.source import Idle, Surroundings
from lakehouse_jobs.ingest.sources.kafka.cluster import Cluster, client_options
from lakehouse_jobs.ingest.sources.kafka.planning import (
    Span,
    Topic,
    again_offsets,
    is_there,
    next_offsets,
    offsets_work,
)
from lakehouse_jobs.ingest.sources.kafka.reading import message_rows, messages, schema_ids
from lakehouse_jobs.ingest.sources.kafka.registry import SchemaRegistry
from lakehouse_jobs.ingest.work import OffsetsWork

_PASSED: Final = "Nothing was committed; the next attempt plans anew and says what is missing."


class Kafka:
    """The Kafka source of one run. The topic is looked at once for all that is decided before the reading."""

    cells = False

    def __init__(self, source: KafkaSource, surroundings: Surroundings) -> None:
        self._source = source
        self._at = surroundings
        self.place = f"topic {source.topic} at {source.bootstrap_servers}"

    @cached_property
    def _cluster(self) -> Cluster:
        options = client_options(self._source, SourceCredentials())
        return Cluster(spark=self._at.spark, place=self.place, options=options)

    @cached_property
    def _topic(self) -> Topic:
        return self._cluster.topic(self._source.topic)

    def check(self) -> None:
        """Raise SourceMissing, AccessDenied, SourceUntrusted or SourceUnavailable if the topic cannot be looked at."""
        _ = self._topic

    def next_work(self, committed: Sequence[Plan], batch: int) -> OffsetsWork | None:  # noqa: ARG002 (the protocol's)
        """Freeze the offsets that are new and, of Avro messages, the schemas that they name."""
        work = next_offsets(self._source, self._topic, self._before(committed))
        if work is None:
            return None
        reached = [each for each in work.ranges if each.end == self._topic.end[each.partition]]
        newest = self._cluster.newest(work.topic, reached) if reached else None
        return work.model_copy(update={"newest_input": newest, "schemas": self._schemas(work)})

    def again(self, committed: Sequence[Plan], batch: int, wanted: BackfillRange) -> OffsetsWork | None:  # noqa: ARG002 (the protocol's)
        """Freeze the offsets of a span of time, as far as they were read before and are there still."""
        before = self._before(committed)
        if before is None or wanted.from_ is None or wanted.until is None:
            return None
        starts, ends = (self._cluster.offsets_at(self._topic, instant(each)) for each in (wanted.from_, wanted.until))
        work = again_offsets(self._source, self._topic, before, Span(start=starts, end=ends))
        return work and work.model_copy(update={"schemas": self._schemas(work)})

    def _before(self, committed: Sequence[Plan]) -> OffsetsWork | None:
        """Give where the last batch ended, unless a person wants everything read again."""
        if not committed or self._at.run.job.reread not in {None, committed[-1].reread}:
            return None
        return offsets_work(committed[-1])

    def _schemas(self, work: OffsetsWork) -> dict[str, tuple[str, ...]]:
        registry = self._source.schema_registry
        if registry is None or not work.offsets:
            return {}
        try:
            ids = schema_ids(self._messages(work))
        except Exception as error:
            raise failure_of(error, where=f"reading {self.place}", side="Source") from error
        secret = SourceCredentials()
        user, password = secret.find("registryUsername"), secret.find("registryPassword")
        with SchemaRegistry(registry.url, user=user, password=password) as opened:
            return opened.schemas(ids)

    def _messages(self, work: OffsetsWork) -> DataFrame:
        return messages(self._at.spark, work.topic, work.filled, self._cluster.options)

    def can_resume(self, plan: Plan) -> bool:
        """Tell whether the topic still has the planned offsets."""
        return is_there(offsets_work(plan), self._topic)

    def headers(self, plan: Plan) -> list[tuple[str, ...]]:  # noqa: ARG002 (the protocol's)
        """Give none: each message has members of its own."""
        return []

    def rows(self, plan: Plan) -> DataFrame:
        """Describe the messages at the planned offsets."""
        work = offsets_work(plan)
        if not work.offsets:
            return no_rows(self._at.spark, self._at.contract)
        return message_rows(self._messages(work), self._source, work.schemas, self._at.contract)

    def require_unchanged(self, plan: Plan) -> None:
        """Raise SourceChanged if the topic is another one by now. Spark ends at messages that are gone by itself."""
        if self._cluster.topic(self._source.topic).id != offsets_work(plan).topic_id:
            raise unavailable("SourceChanged", f"{self.place} was created anew while it was being read. {_PASSED}")

    def idle(self, committed: Sequence[Plan]) -> Idle:
        """Say that all messages were read; a topic may well have none yet."""
        newest = offsets_work(committed[-1]).newest_input if committed else None
        message = f"{self.place} has no messages that were not read." if committed else f"{self.place} is empty so far."
        return Idle(reason="NoNewRows", message=message, newest_input=newest)
