"""What can go wrong with a topic, its brokers and its registry has a reason, and loses nothing in silence."""

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from lakehouse_api.run import ExitCode
from lakehouse_dev.kafka import PASSWORD, SCRAM, USER, Kafka, tool
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.sources.kafka import cluster, reading
from lakehouse_jobs.ingest.sources.kafka import source as sources
from lakehouse_jobs.ingest.work import OffsetRange
from tests.guides import Reader
from tests.spark.lake import Lake
from tests.spark.stream import Stream

pytestmark = pytest.mark.spark

LOGIN = {"credentials": {"secretRef": {"name": "kafka"}}}


def person(number: int) -> str:
    return json.dumps({"id": number})


def age_out(stream: Stream, before: int, *, partition: int = 0) -> None:
    """Drop the messages before an offset, as retention does."""
    found = stream.broker.admin.delete_records([TopicPartition(stream.topic, partition, before)])
    for future in found.values():
        future.result(30)


def recreate(stream: Stream) -> None:
    stream.broker.delete_topic(stream.topic)
    stream.broker.create_topic(stream.topic, partitions=2)


def meanwhile(monkeypatch: pytest.MonkeyPatch, stream: Stream, action: Callable[[Stream], None]) -> None:
    """Do something after the batch was planned and before it is read."""
    rows = sources.Kafka.rows

    def later(self: sources.Kafka, plan: Any) -> Any:
        action(stream)
        return rows(self, plan)

    monkeypatch.setattr(sources.Kafka, "rows", later)


def failed(stream: Stream, slot: str = "1", attempt: int = 1, **changes: Any) -> tuple[str, ExitCode, str]:
    with pytest.raises(JobError) as caught:
        stream.ingest(slot, attempt, **changes)
    return caught.value.reason, caught.value.code, caught.value.message


def test_messages_that_aged_out_unread_stop_the_pipeline_until_a_person_accepts_it(stream: Stream) -> None:
    stream.send(*map(person, range(2)))
    stream.ingest(slot="1")
    stream.send(*map(person, range(2, 6)))
    age_out(stream, 4)

    reason, code, message = failed(stream, slot="2")

    assert (reason, code) == ("OffsetsLost", ExitCode.SPEC_WRONG)
    assert "offsets 2 to 3 of partition 0" in message
    ended = stream.ingest(slot="3", kafka={"lostOffsets": "Skip"})
    assert "offsets 2 to 3 of partition 0" in ended.result.message
    assert [number for number, _, _ in stream.read()] == [0, 1, 4, 5]


def test_a_topic_created_anew_stops_the_pipeline_until_a_person_accepts_it(stream: Stream) -> None:
    stream.send(person(1))
    stream.ingest(slot="1")
    recreate(stream)
    stream.send(person(2), person(3))

    assert failed(stream, slot="2")[:2] == ("TopicRecreated", ExitCode.SPEC_WRONG)
    stream.ingest(slot="3", reread="the new topic")
    assert stream.read() == [(1, "0", 0), (2, "0", 0), (3, "0", 1)]


def test_messages_that_age_out_while_they_are_read_end_the_run_before_any_commit(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.send(*map(person, range(4)))
    with monkeypatch.context() as patch:
        meanwhile(patch, stream, lambda each: age_out(each, 2))
        assert failed(stream)[:2] == ("SourceChanged", ExitCode.UNAVAILABLE)

    stream.ingest(attempt=2)

    assert [number for number, _, _ in stream.read()] == [2, 3], "the first batch begins with what is there"
    assert stream.ranges(2) == [(2, 4), (0, 0)]


def test_a_topic_created_anew_while_it_is_read_is_noticed(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    def swap(each: Stream) -> None:
        recreate(each)
        each.send(person(10), person(11))

    stream.send(person(1), person(2))
    meanwhile(monkeypatch, stream, swap)

    reason, code, message = failed(stream)

    assert (reason, code) == ("SourceChanged", ExitCode.UNAVAILABLE)
    assert "created anew" in message


def test_a_topic_deleted_while_it_is_read_fails_the_run_in_time(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "POLL_MILLISECONDS", "3000")
    stream.send(person(1))
    meanwhile(monkeypatch, stream, lambda each: each.broker.delete_topic(each.topic))

    assert failed(stream)[1] is not ExitCode.DONE
    assert failed(stream, attempt=2)[:2] == ("SourceMissing", ExitCode.SPEC_WRONG)


def test_aborted_transactions_are_no_rows_and_open_ones_wait(stream: Stream) -> None:
    producer = stream.broker.producer(**{"transactional.id": stream.topic})
    producer.init_transactions(30)
    for number, end in ((1, producer.abort_transaction), (2, producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(stream.topic, person(number), partition=0)
        producer.flush(30)
        end(30)
    producer.begin_transaction()
    producer.produce(stream.topic, person(3), partition=0)
    producer.flush(30)

    first = stream.ingest(slot="1")
    producer.commit_transaction(30)
    stream.ingest(slot="2")

    assert (first.result.metrics["rowsRead"], first.result.metrics["offsetsRead"]) == (1, 4)
    assert stream.read() == [(2, "0", 2), (3, "0", 4)]


@pytest.fixture
def trust(stream: Stream, tmp_path: Path) -> Iterator[None]:
    """Let the JVM trust who signed the brokers' certificate, as the image does with the environment's bundle."""
    authority, store = tmp_path / "ca.crt", tmp_path / "trust.p12"
    authority.write_text(stream.broker.authority)
    options = ["-alias", "ca", "-file", str(authority), "-keystore", str(store), "-storepass", "changeit"]
    subprocess.run(["keytool", "-importcert", "-noprompt", *options], check=True, capture_output=True)
    system: Any = stream.lake.spark._jvm.java.lang.System  # type: ignore[union-attr]  # it has one
    trusted = {"javax.net.ssl.trustStore": str(store), "javax.net.ssl.trustStorePassword": "changeit"}
    for key, value in trusted.items():
        system.setProperty(key, value)
    yield
    for key in trusted:
        system.clearProperty(key)


def secure(broker: Kafka, mechanism: str = SCRAM) -> dict[str, Any]:
    security = {"protocol": "SASL_SSL", "mechanism": mechanism}
    return LOGIN | {"bootstrapServers": broker.secure.address, "security": security}


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_SOURCE_USERNAME", USER)
    monkeypatch.setenv("LAKEHOUSE_SOURCE_PASSWORD", PASSWORD)


@pytest.mark.usefixtures("trust", "login")
@pytest.mark.parametrize("mechanism", ["PLAIN", SCRAM])
def test_a_topic_behind_tls_is_read_and_neither_plan_nor_query_shows_the_password(
    stream: Stream, mechanism: str
) -> None:
    stream.send(person(1))
    told = stream.spec(kafka=secure(stream.broker, mechanism)).job.source.kafka
    assert told
    options = cluster.client_options(told, SourceCredentials())

    stream.ingest(kafka=secure(stream.broker, mechanism))
    found = reading.messages(stream.lake.spark, told.topic, [OffsetRange(partition=0, start=0, end=1)], options)

    assert stream.read() == [(1, "0", 0)]
    shown = found._jdf.queryExecution().toString() + stream.lake.text("bronze/people/_ingest/crm/people/1.json")
    assert told.topic in shown
    assert "secret" not in shown.replace("secretRef", "")
    assert "secret" in options["sasl.jaas.config"]


@pytest.fixture
def guide(broker: Kafka, tmp_path: Path) -> Reader:
    """Return somebody who has Kafka's own programs, and an administrator's access to the broker."""
    (tmp_path / "admin.properties").touch()
    programs = {"kafka-configs.sh": "kafka.admin.ConfigCommand", "kafka-acls.sh": "org.apache.kafka.tools.AclCommand"}
    for name, main in programs.items():
        (tmp_path / name).write_text(f'#!/bin/sh\nexec {shlex.join(tool(main))} "$@"\n')
        (tmp_path / name).chmod(0o755)
    return Reader(
        folder=tmp_path,
        kubeconfig=tmp_path / "none",
        places={"kafka-1.example.com:9093": broker.plain.address, "…": "s3cret"},
        programs={name: tmp_path / name for name in programs},
    )


@pytest.mark.usefixtures("trust")
def test_the_user_of_the_guide_may_read_its_topic_and_no_other(
    broker: Kafka, lake: Lake, guide: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, other = (Stream(broker=broker, lake=lake, topic=name) for name in ("app.events", f"other-{lake.prefix}"))
    broker.create_topic(theirs.topic)
    broker.create_topic(other.topic)
    theirs.send(person(1))
    guide.follow("ingest-kafka.md", "1. A user that may read")
    monkeypatch.setenv("LAKEHOUSE_SOURCE_USERNAME", "lakehouse")
    monkeypatch.setenv("LAKEHOUSE_SOURCE_PASSWORD", "s3cret")

    theirs.ingest(kafka=secure(broker))

    assert theirs.read() == [(1, "0", 0)]
    assert failed(other, "2", kafka=secure(broker))[0] == "AccessDenied"


@pytest.mark.usefixtures("trust", "login")
def test_a_wrong_password_is_denied_and_shown_nowhere(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_SOURCE_PASSWORD", "not-the-password")

    reason, code, message = failed(stream, kafka=secure(stream.broker))

    assert (reason, code) == ("AccessDenied", ExitCode.UNAVAILABLE)
    assert "not-the-password" not in message


@pytest.mark.usefixtures("login")
def test_brokers_whose_certificate_nobody_vouches_for_are_not_trusted(stream: Stream) -> None:
    assert failed(stream, kafka=secure(stream.broker))[:2] == ("SourceUntrusted", ExitCode.UNAVAILABLE)


def test_brokers_out_of_reach_are_asked_again(lake: Lake, broker: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_MILLISECONDS", 1500)
    stream = Stream(broker=broker, lake=lake, topic="any")

    for server in ("127.0.0.1:1", "nowhere.invalid:9092"):
        reason, code, message = failed(stream, kafka={"bootstrapServers": server})
        assert (reason, code) == ("SourceUnavailable", ExitCode.UNAVAILABLE)
        assert server in message


def test_a_door_with_tls_asked_without_is_out_of_reach_with_a_hint(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_MILLISECONDS", 1500)

    reason, _, message = failed(stream, kafka={"bootstrapServers": stream.broker.secure.address})

    assert reason == "SourceUnavailable"
    assert "source.kafka.security.protocol" in message
