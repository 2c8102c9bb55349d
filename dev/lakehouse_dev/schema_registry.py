"""A schema registry on loopback for tests without a cluster: Apicurio, which speaks Confluent's API too."""

import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from typing_extensions import override

from lakehouse_dev.locks import exclusive
from lakehouse_dev.paths import cache_file
from lakehouse_dev.processes import spawn_bound
from lakehouse_dev.progress import say
from lakehouse_dev.served import Served
from lakehouse_dev.spark_jars import maven
from lakehouse_dev.waiting import free_ports, wait_until

VERSION: Final = "3.0.9"
"""The newest release that runs on Java 17."""

API: Final = "/apis/ccompat/v7"
READY_TIMEOUT_SECONDS: Final = 90
_PLUGIN: Final = "org.apache.maven.plugins:maven-dependency-plugin:2.10:get"
_JAVA: Final = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def programs() -> Path:
    """Return the directory of the registry (a runner and `lib`), fetched once."""
    target = cache_file("apicurio", VERSION)
    with exclusive(target.with_suffix(".lock"), what="Apicurio"):
        if not target.exists():
            say(f"Apicurio {VERSION}: downloading from Maven Central (109 MB, about 20 s)")
            _fetch(target)
    return target


def _fetch(target: Path) -> None:
    artifact = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        # this old plugin alone does without the parent of the artifact, which is not to be had
        place = f"-Dmaven.repo.local={scratch}/repository"
        maven("--strict-checksums", place, _PLUGIN, f"-Dartifact={artifact}", "-Dtransitive=false")
        unpacked = Path(scratch) / "unpacked"
        with tarfile.open(next(Path(scratch).rglob("*-all.tar.gz"))) as archive:
            archive.extractall(unpacked, filter="data")
        shutil.move(unpacked, target)


@dataclass(kw_only=True)
class Registry(Served):
    """A running registry; a context manager. It keeps nothing across `stop` and `start`."""

    directory: Path
    port: int

    @property
    def url(self) -> str:
        """Return the URL of Confluent's API."""
        return f"http://127.0.0.1:{self.port}{API}"

    def register(self, subject: str, schema: str, **more: Any) -> int:
        """Add a schema, or find it if it is there, and return its id; `more` as in Confluent's API."""
        answer = httpx.post(f"{self.url}/subjects/{subject}/versions", json={"schema": schema, **more}, timeout=30)
        return int(answer.raise_for_status().json()["id"])

    def start(self) -> None:
        """Start the server and return when it answers."""
        options = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": str(self.port),
            "java.io.tmpdir": str(self.directory),
        }
        (runner,) = programs().glob("*-runner.jar")
        command = [*_JAVA, *(f"-D{key}={value}" for key, value in options.items()), "-jar", str(runner)]
        self._process = spawn_bound("apicurio", command, log=self.directory / "apicurio.log")
        wait_until(self._ready, what=f"the schema registry answers at {self.url}", timeout=READY_TIMEOUT_SECONDS)

    @override
    def described(self) -> str:
        return f"the schema registry at {self.url}"

    def _ready(self) -> bool:
        self._running().require_alive()
        try:
            return httpx.get(f"{self.url}/subjects", timeout=5).is_success
        except httpx.TransportError:
            return False


def start_registry(directory: Path) -> Registry:
    """Start a registry on a free loopback port, empty."""
    (port,) = free_ports(1)
    directory.mkdir(parents=True, exist_ok=True)
    server = Registry(directory=directory, port=port)
    server.start()
    return server
