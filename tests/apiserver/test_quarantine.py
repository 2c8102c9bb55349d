"""The guide to quarantined rows, as a reader follows it: kubectl, API server, operator, jobs and S3 are real.

Only the kubelet is played: for each driver Pod the job of its run.json is done in the Spark session of the tests.
"""

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lakehouse_api.run import RunSpec, Store
from lakehouse_dev import paths, tools
from lakehouse_dev.control_plane import ControlPlane
from lakehouse_dev.s3 import S3
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.job import ingest
from lakehouse_jobs.reporting import failed
from lakehouse_jobs.session import reach
from lakehouse_operator.core import names
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS
from tests.apiserver.running import RunningOperator, drivers, finish
from tests.apiserver.world import administrator
from tests.console import Step, differs, files_of, run, steps_of
from tests.spark.conftest import s3, spark  # noqa: F401 (fixtures)
from tests.spark.lake import NOW, store

pytestmark = [pytest.mark.apiserver, pytest.mark.spark]

PAGE = paths.REPOSITORY / "docs" / "how-to" / "quarantine-and-replay.md"
PEOPLE = '{"id": "1", "phone": "5550100"}\n{"id": "2", "phone": "+43 1 5550101"}\n{"phone": "5550102"}\n'


async def do_jobs(client: Client, namespace: str, session: SparkSession) -> None:
    """Play the kubelet of a namespace until cancelled."""
    while True:
        for pod in await drivers(client, namespace, "people"):
            if pod["status"]["phase"] == "Pending":
                document = await client.get(CONFIG_MAPS, namespace, pod["metadata"]["labels"][names.RUN])
                asked = RunSpec.model_validate_json(document["data"]["run.json"])
                await finish(client, pod, **await asyncio.to_thread(do_job, session, asked))
        await asyncio.sleep(0.2)


def do_job(session: SparkSession, asked: RunSpec) -> dict[str, object]:
    try:
        return ingest(session, asked, NOW).result.document()
    except JobError as failure:
        return failed(failure).document()


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the page's files, where kubectl and the plugin are on the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "kubectl").symlink_to(tools.kubectl())
    plugin = programs / "kubectl-lakehouse"
    plugin.write_text(f'#!/bin/sh\nexec {sys.executable} -m lakehouse_operator.cli.main "$@"\n')
    plugin.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    for file, text in files_of(PAGE).items():
        (tmp_path / file).write_text(text)
    return tmp_path


async def test_every_command_of_the_guide_to_quarantined_rows_does_what_it_says(
    apiserver: ControlPlane,
    operator: RunningOperator,
    commands: Path,
    s3: S3,  # noqa: F811 (the fixture)
    spark: SparkSession,  # noqa: F811 (the fixture)
) -> None:
    s3.client().create_bucket(Bucket="landing")
    s3.client().put_object(Bucket="landing", Key="people/a.ndjson", Body=PEOPLE.encode())
    reach(spark, [Store.model_validate(store(s3, bucket)) for bucket in ("lake", "landing")])
    namespace = operator.namespaces[0]
    steps = [replace(step, command=step.command.replace("-n lakehouse", f"-n {namespace}")) for step in steps_of(PAGE)]
    variables = {"KUBECONFIG": str(apiserver.kubeconfig), "PYTHONPATH": ":".join(sys.path)}

    async with administrator(apiserver) as client:
        kubelet = asyncio.create_task(do_jobs(client, namespace, spark))
        try:
            printed = await asyncio.to_thread(run, steps, commands, variables)
        finally:
            kubelet.cancel()
            with suppress(asyncio.CancelledError):
                await kubelet

    assert [told for step, text in zip(steps, printed, strict=True) if (told := differs(step, text))] == []
    rows = spark.read.format("delta").load("s3a://lake/bronze/people").select("id", "_ingest_batch").collect()
    assert sorted(tuple(row) for row in rows) == [("1", 1), ("2", 2)]
    cleanup = Step(command=f"kubectl -n {namespace} delete -f people.yaml -f pipeline.yaml", output="")
    await asyncio.to_thread(run, [cleanup], commands, variables)
