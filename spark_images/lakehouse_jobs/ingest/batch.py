"""One batch, from its frozen plan to the two commits: quarantine first, bronze last.

The source is read once. Rows and verdicts are kept on local disk, so that the source can be compared with the plan
after it was read and before anything is committed, and so that no row is parsed or judged twice.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import ArrayType, StringType, StructType

from lakehouse_api.run import RunSpec
from lakehouse_jobs.contract.exact import judge_with
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import data_refused, failure_of, unavailable
from lakehouse_jobs.ingest.outcome import BatchOutcome, RefusalCount, shown
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.rows import UNREADABLE
from lakehouse_jobs.ingest.source import Source, Surroundings
from lakehouse_jobs.ingest.tables import PROVENANCE, REASONS, Commit, Creation, Table
from lakehouse_jobs.ingest.work import FilesWork

_LOG: Final = logging.getLogger(__name__)
MOST_KINDS: Final = 20
MOST_NAMES: Final = 100
_BYTES_OF_A_TASK: Final = 64 << 20
_VERDICT: Final = StructType().add("reasons", REASONS).add("values", ArrayType(StringType()))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The rows of a batch, kept on local disk: all of them, and the suspects with their exact verdict."""

    rows: DataFrame
    suspects: DataFrame
    outcome: BatchOutcome

    def release(self) -> None:
        """Free the local disk."""
        self.suspects.unpersist()
        self.rows.unpersist()


def execute(at: Surroundings, source: Source, plan: Plan) -> BatchOutcome:
    """Read, judge and commit a plan. Raise SourceChanged, having committed nothing, if its source changed."""
    run = at.run
    bronze, quarantine = Table(at.spark, run.job.target.uri), Table(at.spark, run.job.target.quarantine_uri)
    judged = _judged(at, source, plan)
    counts = judged.outcome
    _LOG.info("%d rows read, %d accepted, %d refused", counts.rows_read, counts.rows_written, counts.rows_quarantined)
    try:
        source.require_unchanged(plan)
        _require_turn(bronze, run, plan)
        if judged.outcome.rows_quarantined:
            _quarantine(quarantine, run, plan, at.contract, judged)
        _append(bronze, run, plan, at.contract, judged)
    finally:
        judged.release()
    return with_versions(judged.outcome, bronze, quarantine)


def with_versions(outcome: BatchOutcome, bronze: Table, quarantine: Table) -> BatchOutcome:
    """Add where the two tables stand after the batch."""
    versions = {"table_version": bronze.version(), "quarantine_version": quarantine.version()}
    return outcome.model_copy(update=versions)


def _judged(at: Surroundings, source: Source, plan: Plan) -> Judged:
    try:
        rows = source.rows(plan).persist(StorageLevel.MEMORY_AND_DISK)
        suspects = _with_verdict(rows, at.contract, cells=source.cells).persist(StorageLevel.MEMORY_AND_DISK)
        outcome = _outcome(plan, at.contract, source.headers(plan), rows, suspects)
        return Judged(rows=rows, suspects=suspects, outcome=outcome)
    except Exception as error:
        raise failure_of(error, where=f"reading {source.place}", side="Source") from error


def _with_verdict(rows: DataFrame, contract: Contract, *, cells: bool) -> DataFrame:
    judge = F.udf(judge_with(contract, cells=cells), _VERDICT, useArrow=False)
    return rows.where(~F.col("ok")).select("file", "number", "text", "flaw", judge("text", "flaw").alias("verdict"))


def _outcome(
    plan: Plan, contract: Contract, headers: Sequence[Sequence[str]], rows: DataFrame, suspects: DataFrame
) -> BatchOutcome:
    read, doubtful, open_rows = rows.agg(
        F.count("*"),
        F.count_if(~F.col("ok")),
        F.count_if(F.size("others") > 0),
    ).collect()[0]
    _refuse_unreadable(suspects, doubtful)
    refused = suspects.where(_is_refused()).count() if doubtful else 0
    ignored = {name for header in headers for name in header if name not in contract.names}
    lacking = {name for header in headers for name in contract.names.difference(header)}
    return BatchOutcome.of(
        plan,
        rows_read=read,
        rows_quarantined=refused,
        files_rewritten=plan.work.rewritten[:MOST_NAMES] if isinstance(plan.work, FilesWork) else (),
        columns_ignored=tuple(sorted(ignored | _others(rows, open_rows))[:MOST_NAMES]),
        columns_missing=tuple(sorted(lacking)[:MOST_NAMES]),
        refusals=_refusals(suspects) if refused else (),
    )


def _is_refused() -> Column:
    return F.size("verdict.reasons") > 0


def _refuse_unreadable(suspects: DataFrame, doubtful: int) -> None:
    if not doubtful:
        return
    unreadable = (
        suspects.where(F.startswith("flaw", F.lit(UNREADABLE))).select("file", "flaw").limit(MOST_KINDS).collect()
    )
    if unreadable:
        raise data_refused(
            f"{shown(row.file for row in unreadable)}: {unreadable[0].flaw.partition(': ')[2]}. Remove or replace the "
            "file, or correct source.files.format."
        )


def _others(rows: DataFrame, open_rows: int) -> set[str]:
    """Name members that the contract does not, at most MOST_NAMES: a source may use ids as names."""
    if not open_rows:
        return set()
    names = rows.select(F.explode("others").alias("name")).distinct().limit(MOST_NAMES)
    return {row.name for row in names.collect()}


def _refusals(suspects: DataFrame) -> tuple[RefusalCount, ...]:
    reasons = suspects.select(F.explode(F.array_distinct(F.transform("verdict.reasons", _kind))).alias("kind"))
    ranked = reasons.groupBy("kind.path", "kind.keyword").count().orderBy(F.desc("count"), "path", "keyword")
    rows = ranked.limit(MOST_KINDS).collect()
    return tuple(RefusalCount(path=row.path, keyword=row.keyword, rows=row["count"]) for row in rows)


def _kind(reason: Column) -> Column:
    return F.struct(reason["path"].alias("path"), reason["keyword"].alias("keyword"))


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
    rows = judged.suspects.where(_is_refused()).select(
        F.coalesce("text", F.lit("")).alias("row"),
        F.col("verdict.reasons").alias("reasons"),
        F.lit(contract.name).alias("contract"),
        F.lit(contract.version).alias("contract_version"),
        *_provenance(plan),
    )
    # the chain of plans is part of the name: when a table is dropped with its plans, batches count from 1 again
    commit = Commit(app=f"{run.app_id}/{plan.origin}", batch=plan.batch, metadata=_metadata(run, judged.outcome))
    table.append(_evened(rows, judged.outcome), commit, Creation(properties={}))


def _append(table: Table, run: RunSpec, plan: Plan, contract: Contract, judged: Judged) -> None:
    accepted = judged.rows.where("ok").select("row.*", *_provenance(plan))
    proven = judged.suspects.where(~_is_refused()).select(*_proven(contract), *_provenance(plan))
    rows = accepted.union(proven) if judged.outcome.rows_written else accepted.limit(0)
    target = run.job.target
    creation = Creation(partition_by=tuple(target.partition_by), properties=target.properties)
    commit = Commit(app=run.app_id, batch=plan.batch, metadata=_metadata(run, judged.outcome))
    table.append(_evened(rows, judged.outcome), commit, creation)


def _proven(contract: Contract) -> Iterator[Column]:
    for place, field in enumerate(contract.fields):
        yield F.get("verdict.values", F.lit(place)).try_cast(field.ddl).alias(field.name)


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
