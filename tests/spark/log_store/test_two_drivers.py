"""Two Spark drivers append to one Delta table on S3 at the same time, through the log store of the image."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from lakehouse_dev.s3 import S3
from lakehouse_dev.spark_jars import job_jars
from tests.spark.log_store.drivers import OURS, Driver

pytestmark = pytest.mark.spark
APPENDS = 100
APPENDER = Path(__file__).with_name("appender.py")


@contextmanager
def appender(table: str, name: str, store: S3, home: Path) -> Iterator["Popen[str]"]:
    """Start a driver in a process of its own; when it is ready, it waits for a line before it appends."""
    conf = {
        "spark.master": "local[1]",
        "spark.ui.enabled": "false",
        "spark.driver.memory": "512m",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # half the time of a process this short
        "spark.driver.extraClassPath": f"{job_jars()}/*",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.shuffle.partitions": "1",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.delta.logStore.s3a.impl": OURS,
        "spark.hadoop.fs.s3a.endpoint": store.endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": store.region,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider",
    }
    arguments = " ".join(f"--conf {key}={value}" for key, value in conf.items())
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": f"{arguments} pyspark-shell"}
    home.mkdir()
    with (home / "log").open("w") as log:
        command = [sys.executable, str(APPENDER), table, name, str(APPENDS)]
        process = Popen(command, env=environment, cwd=home, stdin=PIPE, stdout=PIPE, stderr=log, text=True)
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n", (home / "log").read_text()
            yield process
        finally:
            process.kill()
            process.communicate()


def say_go(process: "Popen[str]") -> None:
    """Let a driver that is ready append."""
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


def acknowledged(process: "Popen[str]") -> set[int]:
    """Return the numbers of the appends that the driver was told had committed."""
    assert process.stdout
    return {int(line) for line in process.stdout}


def committed(driver: Driver, store: S3, table: str) -> list[str]:
    """Return the commits of a table's log."""
    conf = driver.configuration(store.endpoint)
    names = driver.names(f"{table}/_delta_log/{0:020}.json", conf)
    return [f"{table}/_delta_log/{name}" for name in names if name.endswith(".json")]


@pytest.mark.timeout(1800)  # 200 commits take 3 minutes, on a busy machine several times that
def test_every_acknowledged_commit_of_two_drivers_is_in_the_table(
    store: S3, log: str, first_driver: Driver, tmp_path: Path
) -> None:
    table = log.removesuffix("/_delta_log")
    with ExitStack() as stack:
        drivers = [stack.enter_context(appender(table, name, store, tmp_path / name)) for name in ("one", "two")]
        for process in drivers:
            say_go(process)
        told = [acknowledged(process) for process in drivers]
        assert [process.wait(60) for process in drivers] == [0, 0]
    assert told == [set(range(APPENDS))] * 2
    conf = first_driver.configuration(store.endpoint)
    commits = committed(first_driver, store, table)
    actions = [json.loads(line) for commit in commits for line in first_driver.read(commit, conf)]
    assert len(commits) == 1 + 2 * APPENDS  # the first made the table
    assert len({action["add"]["path"] for action in actions if "add" in action}) == 2 * APPENDS
