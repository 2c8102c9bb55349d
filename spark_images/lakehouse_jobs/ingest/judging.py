"""The rows of a batch, read once and judged: which are accepted and which are refused, and why.

Rows and verdicts are kept on local disk, so that the source can be compared with the plan after it was read and before
anything is committed, and so that no row is parsed or judged twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import ArrayType, StringType, StructType

from lakehouse_jobs.contract.columns import from_text
from lakehouse_jobs.contract.exact import judge_with
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import data_refused, failure_of
from lakehouse_jobs.ingest.outcome import BatchOutcome, RefusalCount, shown
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.rows import UNREADABLE
from lakehouse_jobs.ingest.source import Source, Surroundings
from lakehouse_jobs.ingest.tables import REASONS
from lakehouse_jobs.ingest.work import FilesWork

MOST_KINDS: Final = 20
MOST_NAMES: Final = 100
_TEXTS: Final = ArrayType(StringType())
_VERDICT: Final = StructType().add("reasons", REASONS).add("values", _TEXTS).add("unnamed", _TEXTS)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What became of the rows of a batch.

    `accepted` has `file`, `number` and `row`, a struct of the table's columns; `refused` has `file`, `number`, `text`
    and `reasons`. `kept` is what fills the local disk until it is released.
    """

    accepted: DataFrame
    refused: DataFrame
    outcome: BatchOutcome
    kept: tuple[DataFrame, ...]

    def release(self) -> None:
        """Free the local disk."""
        for frame in reversed(self.kept):
            frame.unpersist()


def judge(at: Surroundings, source: Source, plan: Plan) -> Judged:
    """Read the rows of a plan and judge them; nothing is committed."""
    try:
        return _judge(at.contract, source, plan)
    except Exception as error:
        raise failure_of(error, where=f"reading {source.place}", side="Source") from error


def _judge(contract: Contract, source: Source, plan: Plan) -> Judged:
    rows = source.rows(plan).persist(StorageLevel.MEMORY_AND_DISK)
    suspects = _with_verdict(rows, contract, cells=source.cells).persist(StorageLevel.MEMORY_AND_DISK)
    outcome = _outcome(plan, contract, source.headers(plan), rows, suspects)
    proven = suspects.where(~_is_refused()).select("file", "number", F.struct(*_proven(contract)).alias("row"))
    accepted = rows.where("ok").select("file", "number", "row")
    return Judged(
        accepted=accepted.union(proven),
        refused=suspects.where(_is_refused()).select("file", "number", "text", F.col("verdict.reasons")),
        outcome=outcome,
        kept=(rows, suspects),
    )


def _proven(contract: Contract) -> Iterator[Column]:
    for place, field in enumerate(contract.fields):
        yield from_text(field, F.get("verdict.values", F.lit(place))).alias(field.name)


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
    ignored |= _others(rows, open_rows) | _unnamed(contract, suspects)
    lacking = {name for header in headers for name in contract.names.difference(header)}
    return BatchOutcome.of(
        plan,
        rows_read=read,
        rows_quarantined=refused,
        files_rewritten=plan.work.rewritten[:MOST_NAMES] if isinstance(plan.work, FilesWork) else (),
        columns_ignored=tuple(sorted(ignored)[:MOST_NAMES]),
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


def _unnamed(contract: Contract, suspects: DataFrame) -> set[str]:
    """Name members within columns that the contract does not: rows with any are suspects."""
    if not any(field.nested for field in contract.fields):
        return set()
    names = suspects.select(F.explode("verdict.unnamed").alias("name")).distinct().limit(MOST_NAMES)
    return {row.name for row in names.collect()}


def _refusals(suspects: DataFrame) -> tuple[RefusalCount, ...]:
    reasons = suspects.select(F.explode(F.array_distinct(F.transform("verdict.reasons", _kind))).alias("kind"))
    ranked = reasons.groupBy("kind.path", "kind.keyword").count().orderBy(F.desc("count"), "path", "keyword")
    rows = ranked.limit(MOST_KINDS).collect()
    return tuple(RefusalCount(path=row.path, keyword=row.keyword, rows=row["count"]) for row in rows)


def _kind(reason: Column) -> Column:
    return F.struct(reason["path"].alias("path"), reason["keyword"].alias("keyword"))
