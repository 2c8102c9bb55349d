"""An S3 store on loopback for tests without a cluster: SeaweedFS from its Python wheel."""

import json
import os
import shutil
import sys
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from typing_extensions import override

from lakehouse_dev.errors import DevError
from lakehouse_dev.processes import spawn_bound
from lakehouse_dev.served import Served
from lakehouse_dev.waiting import accepts_connections, free_ports, wait_until

ACCESS_KEY = "lakehouse-dev"
SECRET_KEY = "lakehouse-dev-secret"
REGION = "us-east-1"
READY_TIMEOUT_SECONDS = 60
READY_PATH = "/dir/assign"
"""What the master answers with 200 once bytes can be stored."""

_ROLES = ("master", "volume", "filer", "s3")
_GRACE_SECONDS = 0.5  # it would wait ten for its own clients; what it stored is safe in the page cache


@dataclass(frozen=True, kw_only=True)
class Listen:
    """Addresses and ports of one server: HTTP and gRPC of master, volume, filer and S3, in that order."""

    name: str = "127.0.0.1"
    bind: str = "127.0.0.1"
    ports: tuple[int, ...]

    @property
    def s3_port(self) -> int:
        """Return the port of the S3 API."""
        return self.ports[len(_ROLES) - 1]

    @property
    def http(self) -> list[tuple[str, int]]:
        """Return each role with its HTTP port."""
        return list(zip(_ROLES, self.ports[: len(_ROLES)], strict=True))

    @property
    def grpc(self) -> list[tuple[str, int]]:
        """Return each role with its gRPC port."""
        return list(zip(_ROLES, self.ports[len(_ROLES) :], strict=True))


def server_arguments(data: Path, identities: Path, listen: Listen) -> list[str]:
    """Return the arguments of `weed` for a whole store in one process, all of whose ports are given."""
    return [
        "-logtostderr",
        "server",
        f"-dir={data}",
        f"-ip={listen.name}",
        f"-ip.bind={listen.bind}",
        "-filer",
        "-s3",
        *(f"-{role}.port={port}" for role, port in listen.http),
        *(f"-{role}.port.grpc={port}" for role, port in listen.grpc),
        f"-s3.config={identities}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.autoCreateBucket=false",  # a missing bucket is an error, as on AWS
        "-s3.localSocket=" + str(data / "s3.sock"),
        "-filer.localSocket=" + str(data / "filer.sock"),
        "-master.telemetry=false",
        "-master.electionTimeout=1s",  # it has nobody to agree with
        "-master.heartbeatInterval=100ms",
        "-master.volumeSizeLimitMB=1024",
        "-volume.max=200",
        "-volume.preStopSeconds=0",
    ]


def identities(access_key: str, secret_key: str) -> dict[str, Any]:
    """Return the store's identities document: one administrator."""
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    return {
        "identities": [
            {"name": "admin", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        ]
    }


def weed() -> Path:
    """Return SeaweedFS's program, which the wheel puts beside the interpreter."""
    program = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if program is None:
        raise DevError("no `weed` (SeaweedFS) beside this Python: run `uv sync --all-groups`")
    return Path(program)


@dataclass(kw_only=True)
class S3(Served):
    """A running store; a context manager. Its data stays in `directory` across `stop` and `start`."""

    directory: Path
    listen: Listen
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    region: str = REGION

    @property
    def endpoint(self) -> str:
        """Return the URL of the S3 API."""
        return f"http://{self.listen.name}:{self.listen.s3_port}"

    def client(self) -> Any:
        """Return a boto3 client of the store that fails at once instead of retrying."""
        return client(self.endpoint, self.access_key, self.secret_key)

    def start(self) -> None:
        """Start the server, again on the same ports after a stop, and return when it stores and serves."""
        data, file = self.directory / "data", self.directory / "identities.json"
        data.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(identities(self.access_key, self.secret_key)))
        command = [str(weed()), *server_arguments(data, file, self.listen)]
        self._process = spawn_bound("weed", command, log=self.directory / "weed.log")
        wait_until(self._ready, what=f"S3 answers at {self.endpoint}", timeout=READY_TIMEOUT_SECONDS)

    @override
    def stop(self) -> None:
        """End the server, as an outage that refuses connections; the data stays."""
        if self._process:
            self._process.stop(grace=_GRACE_SECONDS)
        self._process = None
        for role, port in self.listen.grpc:
            Path(f"/tmp/seaweedfs-{role}-grpc-{port}.sock").unlink(missing_ok=True)

    @override
    def described(self) -> str:
        return f"the S3 server at {self.endpoint}"

    def _ready(self) -> bool:
        self._running().require_alive()
        return accepts_connections(self.listen.s3_port) and can_store(f"http://127.0.0.1:{self.listen.ports[0]}")


def can_store(master: str) -> bool:
    """Tell whether the master at a URL knows where to store bytes; S3 answers earlier, but fails to read and write."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(master + READY_PATH, timeout=2) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def client(endpoint: str, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY) -> Any:
    """Return a boto3 client of a store at a URL, with paths instead of host names for buckets and no retries."""
    config = Config(
        retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=30
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name=REGION,
        config=config,
    )


def start_s3(directory: Path) -> S3:
    """Start a store on free loopback ports that keeps its data in `directory`."""
    store = S3(directory=directory, listen=Listen(ports=tuple(free_ports(2 * len(_ROLES)))))
    store.start()
    return store
