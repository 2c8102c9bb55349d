"""A PostgreSQL on loopback for tests without a cluster: programs from Maven Central, a data directory of its own.

PostgreSQL refuses to run as root. Where the caller is root, the server gets a user namespace in which the same files
belong to an ordinary user, so that nothing needs to be given away and nothing is left that root does not own.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from typing_extensions import override

from lakehouse_dev import redshift_front
from lakehouse_dev.errors import DevError
from lakehouse_dev.locks import exclusive
from lakehouse_dev.paths import cache_file
from lakehouse_dev.processes import Process, spawn, spawn_bound
from lakehouse_dev.progress import say
from lakehouse_dev.served import Served
from lakehouse_dev.spark_jars import maven
from lakehouse_dev.waiting import accepts_connections, free_ports, wait_until

VERSION = "18.1.0"
OWNER = "postgres"
REDSHIFT_ROLE = "redshift"
PASSWORD = "lakehouse-dev-postgres"
PLAIN_PASSWORDS = f"host all {REDSHIFT_ROLE} all password\n"
"""The line of pg_hba.conf that lets Redshift's driver log in; it comes before those of initdb."""

DATABASE = "warehouse"
READY_TIMEOUT_SECONDS = 60
SETTINGS: Mapping[str, str] = {
    "max_connections": "60",
    "shared_buffers": "32MB",
    "fsync": "off",  # the data does not outlive a test, or its pod
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "unix_socket_directories": "",
    "timezone": "America/New_York",  # not UTC: a client that forgets to say its zone shows
}
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64v8"}
_NOBODY = "65534"


def programs() -> Path:
    """Return the directory of PostgreSQL (`bin`, `lib`, `share`), fetched once."""
    target = cache_file("postgres", VERSION)
    with exclusive(target.with_suffix(".lock"), what="PostgreSQL"):
        if not target.exists():
            say(f"PostgreSQL {VERSION}: downloading from Maven Central (15 MB, about 10 s)")
            _fetch(target)
    return target


def _fetch(target: Path) -> None:
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise DevError(f"no PostgreSQL for processors of type {platform.machine()}: only {', '.join(_MACHINES)}")
    artifact = f"io.zonky.test.postgres:embedded-postgres-binaries-linux-{machine}:{VERSION}"
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        maven("--strict-checksums", _PLUGIN, f"-Dartifact={artifact}", f"-DoutputDirectory={scratch}")
        (jar,) = Path(scratch).glob("*.jar")
        zipfile.ZipFile(jar).extractall(scratch)
        unpacked = Path(scratch) / "unpacked"
        with tarfile.open(next(Path(scratch).glob("*.txz"))) as archive:
            archive.extractall(unpacked, filter="data")
        shutil.move(unpacked, target)


@dataclass(kw_only=True)
class Postgres(Served):
    """A running server; a context manager. Its data stays in `directory` across `stop` and `start`."""

    directory: Path
    port: int
    redshift_port: int
    _front: Process | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Return the URL by which PostgreSQL's driver reaches the database DATABASE."""
        return f"jdbc:postgresql://127.0.0.1:{self.port}/{DATABASE}"

    @property
    def redshift_url(self) -> str:
        """Return the URL by which Redshift's driver reaches it."""
        return f"jdbc:redshift://127.0.0.1:{self.redshift_port}/{DATABASE}?ssl=false"

    def connect(
        self, database: str = DATABASE, *, user: str = OWNER, password: str = PASSWORD
    ) -> "psycopg.Connection[tuple[Any, ...]]":
        """Connect, as the owner if nobody else is named; each statement is its own transaction."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def run(self, *statements: str, database: str = DATABASE) -> None:
        """Execute statements as the owner."""
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def start(self) -> None:
        """Start the server, again on the same port after a stop, and return when it takes connections."""
        data = self.directory / "data"
        if not data.exists():
            _initialise(data, self.directory / "password")
        settings = {**SETTINGS, "listen_addresses": "127.0.0.1", "port": str(self.port)}
        command = [str(programs() / "bin" / "postgres"), "-D", str(data), *as_options(settings)]
        bound = ["setpriv", "--pdeathsig", "KILL", *command]
        self._process = spawn("postgres", [*_unprivileged(), *bound], log=self.directory / "postgres.log")
        front = [sys.executable, redshift_front.__file__, "127.0.0.1", str(self.redshift_port), str(self.port)]
        self._front = spawn_bound("redshift-front", front, log=self.directory / "front.log")
        wait_until(self._ready, what=f"PostgreSQL answers at port {self.port}", timeout=READY_TIMEOUT_SECONDS)

    @override
    def stop(self) -> None:
        """End the server at once, as an outage that refuses connections; the data stays."""
        if self._process:
            self._process.send(signal.SIGINT)  # its fast shutdown: clients are cut off
            self._process.stop()
        if self._front:
            self._front.stop()
        self._process = self._front = None

    @override
    def described(self) -> str:
        return f"the PostgreSQL at port {self.port}"

    def _ready(self) -> bool:
        self._running().require_alive()
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return accepts_connections(self.redshift_port)


def as_options(settings: Mapping[str, str]) -> list[str]:
    """Return settings as the arguments of `postgres`."""
    return [f"--{name}={value}" for name, value in settings.items()]


def start_postgres(directory: Path) -> Postgres:
    """Start a server on a free loopback port that keeps its data in `directory`, with an empty database DATABASE."""
    port, redshift_port = free_ports(2)
    server = Postgres(directory=directory, port=port, redshift_port=redshift_port)
    server.start()
    server.run(f"CREATE DATABASE {DATABASE}", database="postgres")
    return server


def _initialise(data: Path, password: Path) -> None:
    data.parent.mkdir(parents=True, exist_ok=True)
    password.write_text(PASSWORD)
    command = [str(programs() / "bin" / "initdb"), *initial_options(data, password)]
    done = subprocess.run([*_unprivileged(), *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"initdb failed (exit {done.returncode}):\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    rules = data / "pg_hba.conf"
    rules.write_text(PLAIN_PASSWORDS + rules.read_text())


def initial_options(data: Path, password: Path) -> Sequence[str]:
    """Return the arguments of `initdb` for a data directory whose owner has the password in a file."""
    return (
        f"--pgdata={data}",
        f"--username={OWNER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    )


def _unprivileged() -> Sequence[str]:
    """Return the beginning of a command line that is not root in the eyes of the program it starts."""
    if os.geteuid() != 0:
        return ()
    return ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
