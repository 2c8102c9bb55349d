"""The rows that are written: their columns, where each comes from, into how many files they go."""

from math import ceil
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.run import RunSpec
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.tables import PROVENANCE, Creation

_BYTES_OF_A_TASK: Final = 64 << 20


def creation_of(run: RunSpec) -> Creation:
    """Give what holds for the run's table from its first commit on."""
    target = run.job.target
    return Creation(partition_by=tuple(target.partition_by), properties=target.properties)


def provenance(plan: Plan) -> list[Column]:
    """Say where a row comes from, as a function of the plan: a retry writes the same."""
    values = {
        "_ingest_run": F.lit(plan.run),
        "_ingest_batch": F.lit(plan.batch),
        "_ingest_file": F.col("file"),
        "_ingest_row": F.col("number"),
        "_ingest_time": F.lit(plan.planned_at),
    }
    return [values[field.name].cast(field.dataType).alias(field.name) for field in PROVENANCE]


def evened(rows: DataFrame, *, size: int) -> DataFrame:
    """Bound the number of files written: many small inputs, `size` bytes in all, become few tasks of a useful size."""
    tasks = max(rows.sparkSession.sparkContext.defaultParallelism, ceil(size / _BYTES_OF_A_TASK))
    return rows.coalesce(tasks)


def mark(run: RunSpec, batch: int) -> str:
    """Give the words by which a batch's commit is found in a table's history."""
    return f"{run.app_id} batch {batch}:"
