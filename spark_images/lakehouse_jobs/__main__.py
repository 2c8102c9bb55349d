"""Run the job that run.json describes: `spark-submit lakehouse_jobs/__main__.py /etc/lakehouse/run.json`.

LAKEHOUSE_TERMINATION_LOG overrides where the result goes; the kubelet reads /dev/termination-log.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pyspark.sql import SparkSession

from lakehouse_api.run import RunResult, RunSpec
from lakehouse_jobs.catalog.registering import registered
from lakehouse_jobs.credentials import fetch, give
from lakehouse_jobs.driver_log import keep_log, tail
from lakehouse_jobs.failures import JobError, spec_wrong
from lakehouse_jobs.ingest.job import Ended, ingest
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.lineage.telling import Telling
from lakehouse_jobs.reporting import exit_code, failed, leave, report
from lakehouse_jobs.session import open_session, reach
from lakehouse_jobs.storage import Storage

TERMINATION_LOG: Final = "/dev/termination-log"
_LOG: Final = logging.getLogger("lakehouse_jobs")


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run the job, leave its result, and return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)  # it tells every connection
    try:
        run = _read(Path(arguments[0]))
        result, failure = _run(run, environment)
    except JobError as wrong:
        result, failure = failed(wrong), wrong
    result = result.model_copy(update={"finished_at": _now()})
    leave(result, Path(environment.get("LAKEHOUSE_TERMINATION_LOG", TERMINATION_LOG)))
    return exit_code(result, failure)


def _read(file: Path) -> RunSpec:
    try:
        return RunSpec.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise spec_wrong(
            "RunInvalid",
            f"{file} cannot be used: {error}. The operator and the Spark image are of different versions.",
        ) from error


def _run(run: RunSpec, environment: Mapping[str, str]) -> tuple[RunResult, JobError | None]:
    telling = Telling.begin(run, environment, _now())
    try:
        return _reported(run, fetch(run), telling)
    except JobError as failure:
        return telling.failed(None, failed(failure), failure, _now()), failure


def _reported(run: RunSpec, secrets: Mapping[str, str], telling: Telling) -> tuple[RunResult, JobError | None]:
    spark = open_session(run.id)
    give(spark, secrets)
    log = Path(tempfile.mkdtemp(prefix="driver-log-")) / "driver.log"
    keep_log(spark, log)
    reach(spark, run.stores)
    ended, failure = _attempt(spark, run)
    result = failed(failure) if failure else ended.result
    _LOG.info("%s %s: %s", result.outcome, result.reason, result.message)
    result = _told(telling, spark, result, ended.batches, failure)
    details = {"batches": [batch.document() for batch in ended.batches]}
    result = report(Storage(spark), run, result, details, tail(log))
    spark.stop()
    return result, failure


def _told(
    telling: Telling, spark: SparkSession, result: RunResult, batches: Sequence[BatchOutcome], failure: JobError | None
) -> RunResult:
    if failure:
        return telling.failed(spark, result, failure, _now())
    return telling.completed(spark, result, batches, _now())


def _attempt(spark: SparkSession, run: RunSpec) -> tuple[Ended, JobError | None]:
    nothing = Ended(result=failed(spec_wrong("Unexpected", "")), batches=[])
    try:
        return registered(spark, run, ingest(spark, run, _now())), None
    except JobError as failure:
        _LOG.exception("the run failed")
        return nothing, failure


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251 (the process's edge)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
