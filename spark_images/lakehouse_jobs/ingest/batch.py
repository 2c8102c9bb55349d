"""One batch, from its frozen plan to the two commits: quarantine first, the table last."""

import logging
from dataclasses import replace
from typing import Final

from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.run import RunSpec
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import unavailable
from lakehouse_jobs.ingest.backfill import replaces
from lakehouse_jobs.ingest.drift import widens_types
from lakehouse_jobs.ingest.evolution import begun_with, evolution, evolve
from lakehouse_jobs.ingest.judging import Judged, judge
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.ranges import cursor_of_text, place_of
from lakehouse_jobs.ingest.source import Source, Surroundings
from lakehouse_jobs.ingest.tables import Commit, Creation, Table
from lakehouse_jobs.ingest.targets.shape import evened, mark, provenance
from lakehouse_jobs.ingest.targets.target import Target
from lakehouse_jobs.ingest.work import ReplayWork
from lakehouse_jobs.quarantine.table import Quarantine

_LOG: Final = logging.getLogger(__name__)


def execute(at: Surroundings, source: Source, target: Target, plan: Plan) -> BatchOutcome:
    """Read, judge and commit a plan. Raise SourceChanged, having committed nothing, if its source changed."""
    run = at.run
    bronze, quarantine = Table(at.spark, run.job.target.uri), Table(at.spark, run.job.target.quarantine_uri)
    judged = target.admit(judge(at, source, plan), cells=source.cells)
    counts = judged.outcome
    _LOG.info("%d rows read, %d accepted, %d refused", counts.rows_read, counts.rows_written, counts.rows_quarantined)
    try:
        source.require_unchanged(plan)
        _require_turn(bronze, run, plan)
        judged = _evolved(at, bronze, judged)
        if isinstance(plan.work, ReplayWork):
            judged = _marked(at, plan, judged)
        if replaces(run) and judged.outcome.rows_read:
            _take_up(at, plan)
        if not isinstance(plan.work, ReplayWork) and judged.outcome.rows_quarantined:
            _quarantine(quarantine, run, plan, at.contract, judged)
        _write(target, run, plan, judged)
        target.follow(plan.batch)
    finally:
        judged.release()
    return target.told(with_versions(judged.outcome, bronze, quarantine))


def _evolved(at: Surroundings, bronze: Table, judged: Judged) -> Judged:
    """Give the table the columns that the rows have, and say so in the outcome."""
    has, contract = bronze.columns(), at.run.job.contract
    changes = evolution(bronze.uri, has, judged.columns, widen=widens_types(at.run.job.drift))
    evolve(at.spark, bronze.uri, changes, why=f"contract {contract.name} {contract.version}: {', '.join(changes.told)}")
    told = begun_with(judged.columns, at.contract.names) if has is None else changes.told
    return replace(judged, outcome=judged.outcome.model_copy(update={"columns_evolved": told}))


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
        *provenance(plan),
    )
    # the chain of plans is part of the name: when a table is dropped with its plans, batches count from 1 again
    commit = Commit(app=f"{run.app_id}/{plan.origin}", batch=plan.batch, metadata=_metadata(run, judged.outcome))
    table.append(evened(rows, size=judged.outcome.bytes_read), commit, Creation(properties={}))


def _marked(at: Surroundings, plan: Plan, judged: Judged) -> Judged:
    """Mark the accepted rows as replayed, and give them the file they came from. Those refused again stay open."""
    keys = judged.accepted.select("file.*", F.col("number").alias("_ingest_row"))
    Quarantine(at.spark, at.run.job.target.quarantine_uri).mark(keys, plan)
    return replace(judged, accepted=judged.accepted.withColumn("file", F.col("file._ingest_file")))


def _take_up(at: Surroundings, plan: Plan) -> None:
    """Close the quarantined rows of a range that is judged anew: replayed as well, they would be there twice."""
    quarantine = Quarantine(at.spark, at.run.job.target.quarantine_uri)
    if quarantine.exists:
        quarantine.prepare()
        quarantine.take_up(place_of(plan, cursor_of_text(at.run, at.contract, "row")), plan)


def _write(target: Target, run: RunSpec, plan: Plan, judged: Judged) -> None:
    rows = judged.accepted.select("row.*", *provenance(plan))
    rows = rows if judged.outcome.rows_written else rows.limit(0)
    commit = Commit(app=run.app_id, batch=plan.batch, metadata=_metadata(run, judged.outcome))
    target.write(evened(rows, size=judged.outcome.bytes_read), commit)


def _metadata(run: RunSpec, outcome: BatchOutcome) -> str:
    return f"{mark(run, outcome.batch)} {outcome.model_dump_json(by_alias=True, exclude_none=True)}"
