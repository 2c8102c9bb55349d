"""The brokers, asked through the client on the driver's class path, the same that Spark reads with."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from pyspark.sql import SparkSession

from lakehouse_api.sources.kafka import KafkaSource
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import failure_of
from lakehouse_jobs.ingest.sources.kafka.planning import Topic
from lakehouse_jobs.ingest.work import OffsetRange, moment

PATIENCE_MILLISECONDS: Final = 15_000
_LOGINS: Final = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


def client_options(source: KafkaSource, credentials: SourceCredentials) -> dict[str, str]:
    """Give the options of every Kafka client of a source. Kafka shows the login in no log."""
    options = {"bootstrap.servers": source.bootstrap_servers, "security.protocol": source.security.protocol.value}
    mechanism = source.security.mechanism
    if mechanism is None:
        return options
    user, password = (_quoted(credentials.require(key)) for key in ("username", "password"))
    login = f"{_LOGINS[mechanism]} required username={user} password={password};"
    return options | {"sasl.mechanism": mechanism.value, "sasl.jaas.config": login}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The brokers of one source."""

    spark: SparkSession
    place: str
    options: Mapping[str, str] = field(repr=False)

    def topic(self, name: str) -> Topic:
        """Look at a topic; raise JobError if it is not there or cannot be looked at."""
        with self._admin() as admin:
            description = admin.describeTopics(self._list([name])).allTopicNames().get()[name]
            partitions = [int(each.partition()) for each in description.partitions()]
            first = self._offsets(admin, name, partitions, self._ask.earliest())
            end = self._offsets(admin, name, partitions, self._ask.latest())
            return Topic(
                name=name,
                id=str(description.topicId().toString()),
                first={each: int(found.offset()) for each, found in first.items()},
                end={each: int(found.offset()) for each, found in end.items()},
            )

    def offsets_at(self, topic: Topic, seconds: float) -> dict[int, int]:
        """Give, by partition, the offset of the first message at or after a time; the topic's end where there is none.

        The time counts seconds from 1970.
        """
        with self._admin() as admin:
            asked = self._ask.forTimestamp(self._jvm.java.lang.Long.valueOf(str(round(seconds * 1000))))
            found = self._offsets(admin, topic.name, topic.end, asked)
        return {each: int(at.offset()) if int(at.offset()) >= 0 else topic.end[each] for each, at in found.items()}

    def newest(self, name: str, ranges: Iterable[OffsetRange]) -> str | None:
        """Give the time of the newest message in ranges that reach the end of their partitions, in RFC 3339."""
        with self._admin() as admin:
            found = self._offsets(admin, name, [each.partition for each in ranges], self._ask.maxTimestamp())
        latest = max((int(each.timestamp()) for each in found.values()), default=-1)
        return moment(latest) if latest >= 0 else None

    def _offsets(self, admin: Any, topic: str, partitions: Iterable[int], spec: Any) -> dict[int, Any]:
        kafka = self._jvm.org.apache.kafka
        places = {each: kafka.common.TopicPartition(topic, each) for each in partitions}
        asked = self._jvm.java.util.HashMap()
        for place in places.values():
            asked.put(place, spec)
        # the end is that of the last stable message: what an open transaction holds back waits for the next batch
        level = kafka.common.IsolationLevel.READ_COMMITTED
        found = admin.listOffsets(asked, kafka.clients.admin.ListOffsetsOptions(level)).all().get()
        return {each: found[place] for each, place in places.items()}

    @property
    def _ask(self) -> Any:
        return self._jvm.org.apache.kafka.clients.admin.OffsetSpec

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        settings = self._jvm.java.util.Properties()
        timeouts = {"default.api.timeout.ms": PATIENCE_MILLISECONDS, "request.timeout.ms": PATIENCE_MILLISECONDS // 2}
        for key, value in {**self.options, **{name: str(value) for name, value in timeouts.items()}}.items():
            settings.setProperty(key, value)
        try:
            admin = self._jvm.org.apache.kafka.clients.admin.AdminClient.create(settings)
            try:
                yield admin
            finally:
                admin.close(self._jvm.java.time.Duration.ZERO)
        except Exception as error:
            raise failure_of(error, where=f"asking for {self.place}", side="Source") from error

    def _list(self, items: Iterable[str]) -> Any:
        found = self._jvm.java.util.ArrayList()
        for item in items:
            found.add(item)
        return found

    @property
    def _jvm(self) -> Any:
        return self.spark._jvm  # noqa: SLF001 (Kafka's client is Java)
