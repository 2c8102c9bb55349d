"""A Kafka broker on loopback for tests without a cluster: KRaft mode, broker and controller in one process.

Two doors lead to it: one without any protection, and one with TLS, where USER logs in with PASSWORD by PLAIN or SCRAM.
These two may do everything; other users, who log in at the second door, what ACLs allow them.
"""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic
from typing_extensions import override

from lakehouse_dev.certificates import Authority
from lakehouse_dev.errors import DevError
from lakehouse_dev.locks import exclusive
from lakehouse_dev.paths import REPOSITORY, cache_file
from lakehouse_dev.processes import spawn_bound
from lakehouse_dev.progress import say
from lakehouse_dev.served import Served
from lakehouse_dev.spark_jars import digest, maven
from lakehouse_dev.waiting import free_ports, wait_until

SOURCES: Final = REPOSITORY / "dev" / "images" / "kafka"
CLUSTER_ID: Final = "bGFrZWhvdXNlLWthZmthLQ"
USER: Final = "reader"
PASSWORD: Final = 'dev "quoted" \\ secret'
SCRAM: Final = "SCRAM-SHA-512"
READY_TIMEOUT_SECONDS: Final = 60
LARGEST_MESSAGE: Final = 32 << 20
_JAVA: Final = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_PASSWORD_IN_JAAS: Final = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')


def programs() -> Path:
    """Return the directory of the broker's jars, fetched once."""
    target = cache_file("kafka", digest([SOURCES / "pom.xml"]))
    with exclusive(target.with_suffix(".lock"), what="Kafka"):
        if not target.exists():
            say("Kafka: downloading the broker from Maven Central (46 MB, about 15 s)")
            unfinished = target.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            maven("--file", str(SOURCES / "pom.xml"), "package", f"-Djars.directory={unfinished}")
            unfinished.rename(target)
    return target


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A door: where the broker listens, and under which address clients find it."""

    name: str
    port: int
    protocol: str = "PLAINTEXT"
    bind: str = "127.0.0.1"
    advertised: str = "127.0.0.1"
    advertised_port: int | None = None

    @property
    def address(self) -> str:
        """Return the address that clients use."""
        return f"{self.advertised}:{self.advertised_port or self.port}"


def settings(listeners: Sequence[Listener], controller: Listener, data: str) -> dict[str, str]:
    """Return the settings of a whole cluster in one process; it makes no topics by itself."""
    every = [*listeners, controller]
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller.address}",
        "listeners": ",".join(f"{each.name}://{each.bind}:{each.port}" for each in every),
        "advertised.listeners": ",".join(f"{each.name}://{each.address}" for each in listeners),
        "listener.security.protocol.map": ",".join(f"{each.name}:{each.protocol}" for each in every),
        "controller.listener.names": controller.name,
        "inter.broker.listener.name": listeners[0].name,
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(LARGEST_MESSAGE),
        "broker.session.timeout.ms": "1000",  # after a kill it takes itself for alive that long
        "broker.heartbeat.interval.ms": "200",
        "log.retention.check.interval.ms": "500",  # tests wait for messages to age out
        "log.initial.task.delay.ms": "500",
        "file.delete.delay.ms": "100",
        **{f"{each}.replication.factor": "1" for each in ("offsets.topic", "transaction.state.log")},
        **{f"{each}.num.partitions": "1" for each in ("offsets.topic", "transaction.state.log")},
        "transaction.state.log.min.isr": "1",
    }


def encrypted(listener: Listener, pem: Path) -> dict[str, str]:
    """Return the settings of a listener with TLS, whose key and certificate are in one file."""
    prefix = f"listener.name.{listener.name.lower()}"
    return {f"{prefix}.ssl.keystore.type": "PEM", f"{prefix}.ssl.keystore.location": str(pem)}


def logins(listener: Listener) -> dict[str, str]:
    """Return the settings of a listener where USER logs in by PLAIN, and by SCRAM whoever the data directory knows."""
    prefix = f"listener.name.{listener.name.lower()}"
    login = "org.apache.kafka.common.security.{}.{}LoginModule required"
    plain = f'{login.format("plain", "Plain")} user_{USER}="{_PASSWORD_IN_JAAS}";'
    return {
        f"{prefix}.sasl.enabled.mechanisms": f"PLAIN,{SCRAM}",
        f"{prefix}.plain.sasl.jaas.config": plain,
        f"{prefix}.{SCRAM.lower()}.sasl.jaas.config": f"{login.format('scram', 'Scram')};",
    }


def guarded(*trusted: str) -> dict[str, str]:
    """Return the settings of a broker that allows nothing but what ACLs say, except to some users."""
    authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    users = ";".join(f"User:{user}" for user in trusted)
    return {"authorizer.class.name": authorizer, "super.users": users}


def as_properties(values: Mapping[str, str]) -> str:
    """Write settings as a properties file."""
    return "".join(f"{key}={value.replace(chr(92), chr(92) * 2)}\n" for key, value in values.items())


@dataclass(kw_only=True)
class Kafka(Served):
    """A running broker; a context manager. Its data stays in `directory` across `stop` and `start`."""

    directory: Path
    plain: Listener
    secure: Listener
    controller: Listener

    @property
    def authority(self) -> str:
        """Return the certificate of who signed that of the TLS door, in PEM."""
        return (self.directory / "pki" / "ca.crt").read_text()

    def start(self) -> None:
        """Start the broker, again on the same ports after a stop, and return when it answers."""
        file, data = self.directory / "server.properties", self.directory / "data"
        if not data.exists():
            self._prepare(file, data)
        command = [*tool("kafka.Kafka"), str(file)]
        self._process = spawn_bound("kafka", command, log=self.directory / "kafka.log")
        wait_until(self._ready, what=f"Kafka answers at {self.plain.address}", timeout=READY_TIMEOUT_SECONDS)

    @cached_property
    def admin(self) -> AdminClient:
        """Return a client that makes and changes topics; it must live until they are made."""
        return AdminClient({"bootstrap.servers": self.plain.address, "log_level": 0})

    def producer(self, **options: str) -> Producer:
        """Return a producer of large and small messages."""
        limits = {"message.max.bytes": str(LARGEST_MESSAGE), "linger.ms": "0"}
        return Producer({"bootstrap.servers": self.plain.address, "log_level": 0, **limits, **options})

    def create_topic(self, name: str, *, partitions: int = 1, **options: str) -> None:
        """Make a topic; options are those of Kafka, with underscores for dots."""
        config = {key.replace("_", "."): value for key, value in options.items()}
        _settle(self.admin.create_topics([NewTopic(name, partitions, 1, config=config)]))

    def delete_topic(self, name: str) -> None:
        """Delete a topic and return when it is gone."""
        _settle(self.admin.delete_topics([name]))

    def grow_topic(self, name: str, *, partitions: int) -> None:
        """Give a topic more partitions."""
        _settle(self.admin.create_partitions([NewPartitions(name, partitions)]))

    def send(self, topic: str, *values: bytes | str | None, partition: int = 0, key: bytes | str | None = None) -> None:
        """Write messages to a partition and return when they are stored."""
        producer = self.producer()
        for value in values:
            producer.produce(topic, value, key, partition)
        if producer.flush(30):
            raise DevError(f"Kafka at {self.plain.address} did not take the messages to {topic} within 30 s")

    def _prepare(self, file: Path, data: Path) -> None:
        pem = self.directory / "pki" / "server.pem"
        pair = Authority.create(pem.parent).server("server", names=("127.0.0.1", "localhost"))
        pem.write_text(pair.key.read_text() + pair.certificate.read_text())
        listeners = (self.plain, self.secure)
        values = settings(listeners, self.controller, str(data)) | encrypted(self.secure, pem) | logins(self.secure)
        values |= guarded("ANONYMOUS", USER)
        file.write_text(as_properties(values))
        scram = f"{SCRAM}=[name={USER},password={PASSWORD}]"
        _format(file, scram)

    @override
    def described(self) -> str:
        return f"the Kafka at {self.plain.address}"

    def _ready(self) -> bool:
        self._running().require_alive()
        try:
            return bool(self.admin.list_topics(timeout=1).brokers)
        except KafkaException:
            return False


def start_kafka(directory: Path) -> Kafka:
    """Start a broker on free loopback ports that keeps its data in `directory`."""
    plain, secure, controller = free_ports(3)
    broker = Kafka(
        directory=directory,
        plain=Listener(name="PLAIN", port=plain),
        secure=Listener(name="SECURE", port=secure, protocol="SASL_SSL"),
        controller=Listener(name="CONTROLLER", port=controller),
    )
    broker.start()
    return broker


class _Pending(Protocol):
    def result(self, timeout: float) -> None: ...


def _settle(futures: Mapping[str, _Pending]) -> None:
    for future in futures.values():
        future.result(30)


def tool(main: str) -> list[str]:
    """Return the command that runs one of Kafka's programs, by its class."""
    return [*_java(), main]


def _java() -> list[str]:
    return [*_JAVA, f"-Dlog4j2.configurationFile={SOURCES / 'log4j2.properties'}", "-cp", f"{programs()}/*"]


def _format(file: Path, scram: str) -> None:
    options = ["--cluster-id", CLUSTER_ID, "--config", str(file), "--add-scram", scram]
    command = [*tool("kafka.tools.StorageTool"), "format", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"Kafka could not make its data directory:\n{(done.stdout + done.stderr)[-2000:]}")
