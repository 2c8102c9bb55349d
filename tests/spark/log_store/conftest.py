"""A real SeaweedFS on loopback and two JVMs for the tests of the log store."""

import subprocess
from collections.abc import Iterator
from itertools import count

import pytest

from lakehouse_dev.s3 import S3, start_s3, weed
from tests.spark.log_store.drivers import Driver, driver

_numbers = count()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """Serve a store with two buckets: `private`, and `lake`, open to all since a proxy cannot change what is signed."""
    with start_s3(tmp_path_factory.mktemp("s3")) as s3:
        _shell(s3, "s3.bucket.create -name private", "s3.bucket.create -name lake")
        _shell(s3, "s3.anonymous.set -bucket lake -access Read,Write,List")
        yield s3


def _shell(s3: S3, *commands: str) -> None:
    master = f"127.0.0.1:{s3.listen.http[0][1]}.{s3.listen.grpc[0][1]}"
    lines = "".join(f"{command}\n" for command in commands)
    subprocess.run([weed(), "shell", "-master", master], input=lines, text=True, check=True, capture_output=True)


@pytest.fixture(scope="session")
def first_driver(store: S3) -> Iterator[Driver]:
    environment = {
        "LAKE_ACCESS_KEY_ID": store.access_key,
        "LAKE_SECRET_ACCESS_KEY": store.secret_key,
        "STALE_ACCESS_KEY_ID": store.access_key,
        "STALE_SECRET_ACCESS_KEY": "rotated-away",
    }
    with driver(environment) as jvm:
        yield jvm


@pytest.fixture(scope="session")
def second_driver() -> Iterator[Driver]:
    with driver() as jvm:
        yield jvm


@pytest.fixture
def log() -> str:
    """Return the URI of a log directory that no other test uses."""
    return f"s3a://lake/table-{next(_numbers)}/_delta_log"
