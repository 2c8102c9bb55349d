"""One batch, from its frozen plan to the two commits: quarantine first, bronze last."""

import logging
from math import ceil
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.run import RunSpec
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import unavailable
from lakehouse_jobs.ingest.judging import Judged, judge
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.source import Source, Surroundings
from lakehouse_jobs.ingest.tables import PROVENANCE, Commit, Creation, Table

_LOG: Final = logging.getLogger(__name__)
_BYTES_OF_A_TASK: Final = 64 << 20


def execute(at: Surroundings, source: Source, plan: Plan) -> BatchOutcome:
    """Read, judge and commit a plan. Raise SourceChanged, having committed nothing, if its source changed."""
    run = at.run
    bronze, quarantine = Table(at.spark, run.job.target.uri), Table(at.spark, run.job.target.quarantine_uri)
    judged = judge(at, source, plan)
    counts = judged.outcome
    _LOG.info("%d rows read, %d accepted, %d refused", counts.rows_read, counts.rows_written, counts.rows_quarantined)
    try:
        source.require_unchanged(plan)
        _require_turn(bronze, run, plan)
        if judged.outcome.rows_quarantined:
            _quarantine(quarantine, run, plan, at.contract, judged)
        _append(bronze, run, plan, judged)
    finally:
        judged.release()
    return with_versions(judged.outcome, bronze, quarantine)


def with_versions(outcome: BatchOutcome, bronze: Table, quarantine: Table) -> BatchOutcome:
    """Add where the two tables stand after the batch."""
    versions = {"table_version": bronze.version(), "quarantine_version": quarantine.version()}
    return outcome.model_copy(update=versions)


def _require_turn(bronze: Table, run: RunSpec, plan: Plan) -> None:
    """Refuse to commit when the table went on otherwise than planned.

    A driver that was given up for lost, and its plan with it, may commit that plan after all. Its files are in this
    plan once more.
    """
    committed = bronze.committed(run.app_id)
    if committed not in (plan.previous, plan.batch):
        raise unavailable(
            "AnotherDriver",
            f"another driver committed batch {committed} to {bronze.uri} while batch {plan.batch} was being read. "
            "Nothing is read twice: the next attempt plans anew.",
        )


def _quarantine(table: Table, run: RunSpec, plan: Plan, contract: Contract, judged: Judged) -> None:
    rows = judged.refused.select(
        F.coalesce("text", F.lit("")).alias("row"),
        "reasons",
        F.lit(contract.name).alias("contract"),
        F.lit(contract.version).alias("contract_version"),
        *_provenance(plan),
    )
    # the chain of plans is part of the name: when a table is dropped with its plans, batches count from 1 again
    commit = Commit(app=f"{run.app_id}/{plan.origin}", batch=plan.batch, metadata=_metadata(run, judged.outcome))
    table.append(_evened(rows, judged.outcome), commit, Creation(properties={}))


def _append(table: Table, run: RunSpec, plan: Plan, judged: Judged) -> None:
    rows = judged.accepted.select("row.*", *_provenance(plan))
    rows = rows if judged.outcome.rows_written else rows.limit(0)
    target = run.job.target
    creation = Creation(partition_by=tuple(target.partition_by), properties=target.properties)
    commit = Commit(app=run.app_id, batch=plan.batch, metadata=_metadata(run, judged.outcome))
    table.append(_evened(rows, judged.outcome), commit, creation)


def _provenance(plan: Plan) -> list[Column]:
    """Say where a row comes from, as a function of the plan: a retry writes the same."""
    values = {
        "_ingest_run": F.lit(plan.run),
        "_ingest_batch": F.lit(plan.batch),
        "_ingest_file": F.col("file"),
        "_ingest_row": F.col("number"),
        "_ingest_time": F.lit(plan.planned_at),
    }
    return [values[field.name].cast(field.dataType).alias(field.name) for field in PROVENANCE]


def _metadata(run: RunSpec, outcome: BatchOutcome) -> str:
    return f"{mark(run, outcome.batch)} {outcome.model_dump_json(by_alias=True, exclude_none=True)}"


def mark(run: RunSpec, batch: int) -> str:
    """Give the words by which a batch's commit is found in a table's history."""
    return f"{run.app_id} batch {batch}:"


def _evened(rows: DataFrame, outcome: BatchOutcome) -> DataFrame:
    """Bound the number of files written: many small inputs become few tasks of a useful size."""
    tasks = max(rows.sparkSession.sparkContext.defaultParallelism, ceil(outcome.bytes_read / _BYTES_OF_A_TASK))
    return rows.coalesce(tasks)
