"""The job as the image starts it, by spark-submit, and killed at the boundaries between its writes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.lineage import KEY_VARIABLE
from lakehouse_api.run import RESULT_LIMIT, ExitCode
from lakehouse_dev.spark_jars import job_jars
from lakehouse_dev.waiting import wait_until
from tests.aws import IDENTITY, REGION, client, put_secret
from tests.lineage_endpoint import LineageEndpoint
from tests.spark.conftest import FEW_ROWS, PYTHON_PATH, REPOSITORY, SPARK_CONF
from tests.spark.lake import Lake, lines, store

pytestmark = [pytest.mark.spark, pytest.mark.timeout(900)]

BOOKS = "bronze/people/_ingest/crm/people"
COUNTS = ("rowsRead", "rowsWritten", "rowsQuarantined", "filesRead", "bytesRead", "batch", "refusals")
INPUT = {
    "a.csv": lines("id,name", *(f"{number},name {number}" for number in range(50)), "x,refused"),
    "b.csv": lines("name,id", "Ada,100", ",200", "no id,"),
}


@dataclass(frozen=True, kw_only=True)
class Driver:
    process: subprocess.Popen[bytes]
    termination_log: Path
    output: Path

    def result(self) -> Any:
        return json.loads(self.termination_log.read_bytes())

    def kill(self) -> None:
        """Kill the JVM and Python at once, as the kernel does to a container."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def driver(directory: Path, document: Mapping[str, Any], **variables: str) -> Iterator[Driver]:
    directory.mkdir()
    run, properties, output = directory / "run.json", directory / "spark.properties", directory / "driver.txt"
    run.write_text(json.dumps(document))
    conf = {
        **SPARK_CONF,
        **FEW_ROWS,
        "spark.driver.extraClassPath": f"{job_jars()}/*",
        "spark.local.dir": str(directory),
    }
    properties.write_text("".join(f"{key} {value}\n" for key, value in conf.items()))
    program = REPOSITORY / "spark_images" / "lakehouse_jobs" / "__main__.py"
    submit = Path(sys.executable).parent / "spark-submit"
    environment = {"PYTHONPATH": PYTHON_PATH, "LAKEHOUSE_TERMINATION_LOG": str(directory / "termination-log")}
    with output.open("wb") as log:
        process = subprocess.Popen(
            [str(submit), "--properties-file", str(properties), str(program), str(run)],
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                **environment,
                **variables,
                "PYSPARK_PYTHON": sys.executable,
                "PYSPARK_DRIVER_PYTHON": sys.executable,
            },
            start_new_session=True,
        )
        try:
            yield Driver(process=process, termination_log=directory / "termination-log", output=output)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def with_keys_from_aws(lake: Lake, aws: str) -> dict[str, Any]:
    """Give a run whose bucket is opened by keys that only AWS Secrets Manager has."""
    keys = {"AWS_ACCESS_KEY_ID": lake.s3.access_key, "AWS_SECRET_ACCESS_KEY": lake.s3.secret_key}
    put_secret(aws, "jobs/lake", keys)
    variables = {key: key.replace("AWS", "FROM_AWS") for key in keys}
    asked = {"region": REGION, "endpoint": aws, "secrets": [{"name": "jobs/lake", "variables": variables}]}
    return lake.document() | {"stores": [store(lake.s3, credentialsPrefix="FROM_AWS")], "awsSecrets": asked}


def in_catalogue(lake: Lake, aws: str) -> dict[str, Any]:
    """Give what a run is told of the catalogue."""
    place = {"uri": lake.uri("bronze/people"), "databaseUri": lake.uri("bronze"), "database": lake.prefix}
    return {"region": REGION, "endpoint": aws, "tables": [place | {"name": "people"}]}


@pytest.fixture
def endpoint() -> Iterator[LineageEndpoint]:
    with LineageEndpoint() as running:
        yield running


def test_the_job_leaves_its_result_its_report_and_its_log(
    lake: Lake, aws: str, endpoint: LineageEndpoint, tmp_path: Path
) -> None:
    lake.put(INPUT)
    document = with_keys_from_aws(lake, aws) | {"lineage": endpoint.settings(), "catalog": in_catalogue(lake, aws)}

    with driver(tmp_path / "job", document, **IDENTITY, **{KEY_VARIABLE: "key-of-the-endpoint"}) as job:
        code = job.process.wait(timeout=600)

    assert code == ExitCode.DONE, job.output.read_text()[-4000:]
    assert endpoint.told() == ["START", "COMPLETE"]
    assert "key-of-the-endpoint" not in job.output.read_text()
    assert len(job.termination_log.read_bytes()) <= RESULT_LIMIT
    result = job.result()
    assert (result["outcome"], result["reason"], result["metrics"]["rowsWritten"]) == ("Succeeded", "Ingested", 52)
    assert result["catalog"] == {"registered": True, "reason": "Registered", "message": ""}
    assert client(aws, "glue").get_table(DatabaseName=lake.prefix, Name="people")["Table"]["VersionId"] == "1"
    assert result["report"] == lake.uri("_runs/ing-people-1-1-abc.json")
    report = lake.read("_runs/ing-people-1-1-abc.json")
    assert report["batches"][0]["rowsQuarantined"] == 2
    assert report["result"]["metrics"] == result["metrics"]
    assert "Succeeded Ingested" in lake.text("_runs/ing-people-1-1-abc.log")
    assert lake.s3.secret_key not in job.output.read_text() + lake.text("_runs/ing-people-1-1-abc.log")


def test_a_failure_is_a_result_with_its_own_exit_code(lake: Lake, endpoint: LineageEndpoint, tmp_path: Path) -> None:
    lake.put({"a.csv": b"PK\x03\x04"})

    with driver(tmp_path / "job", lake.document() | {"lineage": endpoint.settings()}) as job:
        code = job.process.wait(timeout=600)

    assert code == ExitCode.DATA_REFUSED, job.output.read_text()[-4000:]
    assert (job.result()["outcome"], job.result()["reason"], job.result()["retry"]) == ("Failed", "DataRefused", False)
    assert lake.read("_runs/ing-people-1-1-abc.json")["result"]["reason"] == "DataRefused"
    assert endpoint.told() == ["START", "FAIL"]


def test_a_run_document_of_another_version_is_refused_without_starting_spark(lake: Lake, tmp_path: Path) -> None:
    with driver(tmp_path / "job", {**lake.document(), "version": 2}) as job:
        code = job.process.wait(timeout=600)

    assert code == ExitCode.SPEC_WRONG
    assert job.result()["reason"] == "RunInvalid"


@pytest.mark.parametrize(
    ("boundary", "reason"),
    [
        pytest.param(f"{BOOKS}/1.json", "Ingested", id="after the plan"),
        pytest.param(
            "bronze/people__quarantine/_delta_log/00000000000000000000.json", "Ingested", id="after quarantine"
        ),
        pytest.param("bronze/people/_delta_log/00000000000000000000.json", "AlreadyCommitted", id="after the commit"),
    ],
)
def test_a_driver_killed_at_a_boundary_loses_and_doubles_nothing(
    lake: Lake, tmp_path: Path, boundary: str, reason: str
) -> None:
    lake.put(INPUT)
    with driver(tmp_path / "job", lake.document()) as job:
        wait_until(lambda: lake.keys(boundary) != [], what=boundary, timeout=600, poll=0.005)
        job.kill()
    assert not job.termination_log.exists(), "killed too late: it had told its result"
    lake.put({"late.csv": lines("id", "999")})

    retry = lake.ingest(attempt=2)

    assert retry.result.reason == reason
    assert {name: retry.result.metrics[name] for name in COUNTS} == {
        "rowsRead": 54,
        "rowsWritten": 52,
        "rowsQuarantined": 2,
        "filesRead": 2,
        "bytesRead": sum(len(text) for text in INPUT.values()),
        "batch": 1,
        "refusals": "/id required (1), /id type (1)",
    }
    assert lake.rows("id") == [*range(50), 100, 200]
    assert set(lake.rows("_ingest_run")) == {"ing-people-1-1-abc"}
    assert [reasons for _, reasons in lake.refused()] == [[("/id", "type")], [("/id", "required")]]
    assert lake.ingest(slot="2").result.metrics["rowsWritten"] == 1, "what came later is the next slot's"
