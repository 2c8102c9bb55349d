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

from lakehouse_api.enforcement import Drift, ExpectationResult, MissingColumns
from lakehouse_jobs.contract.columns import from_text
from lakehouse_jobs.contract.exact import judge_with
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import data_refused, failure_of
from lakehouse_jobs.ingest import drift
from lakehouse_jobs.ingest.expectations import Checks
from lakehouse_jobs.ingest.outcome import BatchOutcome, RefusalCount, shown
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.rows import UNREADABLE
from lakehouse_jobs.ingest.source import Source, Surroundings
from lakehouse_jobs.ingest.tables import REASONS
from lakehouse_jobs.ingest.work import FilesWork

MOST_KINDS: Final = 20
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

    @property
    def columns(self) -> StructType:
        """Give the columns of the accepted rows."""
        kind = self.accepted.schema["row"].dataType
        return kind if isinstance(kind, StructType) else StructType()

    def release(self) -> None:
        """Free the local disk."""
        for frame in reversed(self.kept):
            frame.unpersist()


def judge(at: Surroundings, source: Source, plan: Plan) -> Judged:
    """Read the rows of a plan and judge them; nothing is committed.

    Raise DriftDetected or ExpectationFailed if the pipeline wants no such batch, DataRefused for an unreadable file.
    """
    policy = at.run.job.drift
    judging = _Judging(source=source, plan=plan, contract=at.contract, policy=policy, checks=Checks.of(at))
    try:
        headers = source.headers(plan)
        known = drift.of_headers(headers, at.contract)
        known.refuse(policy, source.place)
        read = judging.read()
        drifted = known if headers else drift.of_rows(read.rows, at.contract, policy)
        drifted.refuse(policy, source.place)
        return judging.judged(read, drifted)
    except Exception as error:
        raise failure_of(error, where=f"reading {source.place}", side="Source") from error


@dataclass(frozen=True, kw_only=True)
class _Read:
    """All rows of a batch, and those that were not accepted natively with their exact verdict; both are kept."""

    rows: DataFrame
    suspects: DataFrame
    count: int
    doubtful: int


@dataclass(frozen=True, kw_only=True)
class _Judging:
    """What decides about the rows of one batch."""

    source: Source
    plan: Plan
    contract: Contract
    policy: Drift
    checks: Checks

    def read(self) -> _Read:
        """Read all rows once, and give those that are not accepted natively their exact verdict."""
        rows = self.source.rows(self.plan)
        rows = rows.withColumn("text", F.when(self._is_looked_at_again(), F.col("text")))
        if self.policy.missing_columns is MissingColumns.IGNORE:
            rows = rows.withColumn("lacks", F.lit(None).cast("array<string>"))
        rows = rows.persist(StorageLevel.MEMORY_AND_DISK)
        suspects = _with_verdict(rows, self.contract, cells=self.source.cells).persist(StorageLevel.MEMORY_AND_DISK)
        count, doubtful = rows.agg(F.count("*"), F.count_if(~F.col("ok"))).collect()[0]
        _refuse_unreadable(suspects, doubtful)
        return _Read(rows=rows, suspects=suspects, count=count, doubtful=doubtful)

    def _is_looked_at_again(self) -> Column:
        """Keep the text of a row only where it is needed: it fills the disk."""
        everywhere = F.lit(True)  # noqa: FBT003 (a literal)
        return everywhere if self.checks.quarantines else ~F.col("ok") | drift.keeps_text(self.policy)

    def judged(self, read: _Read, drifted: drift.Drifted) -> Judged:
        """Hold the rows against policy and expectations, and count."""
        added = drift.added_columns(drifted, self.policy, self.contract)
        reasons = drift.reasons(drifted, self.policy)
        accepted = _accepted(read, self.contract, reasons, added)
        kept: tuple[DataFrame, ...] = (read.rows, read.suspects)
        results: list[ExpectationResult] = []
        if self.checks.expectations:
            accepted = self.checks.applied(accepted).persist(StorageLevel.MEMORY_AND_DISK)
            kept, results = (*kept, accepted), self.checks.results(accepted)
        refused = read.suspects.where(_is_refused()).select("file", "number", "text", F.col("verdict.reasons"))
        count = refused.count() if read.doubtful else 0
        if reasons is not None or self.checks.quarantines:
            late = accepted.where(_has_reasons()).select("file", "number", "text", "reasons")
            refused, count = refused.union(late), count + late.count()
        ignored = {*drifted.new} - {*added} | _unnamed(self.contract, read.suspects)
        outcome = self._outcome(read, refused, count, drifted, ignored).model_copy(
            update={"expectations": tuple(results)}
        )
        rows = accepted.where(~_has_reasons()).select("file", "number", "row")
        return Judged(accepted=rows, refused=refused, outcome=outcome, kept=kept)

    def _outcome(
        self, read: _Read, refused: DataFrame, count: int, drifted: drift.Drifted, ignored: set[str]
    ) -> BatchOutcome:
        refusals = _refusals(refused) if count else ()
        drift.refuse_types(self.policy, refusals, self.source.place)
        work = self.plan.work
        return BatchOutcome.of(
            self.plan,
            rows_read=read.count,
            rows_quarantined=count,
            files_rewritten=work.rewritten[: drift.MOST_NAMES] if isinstance(work, FilesWork) else (),
            columns_ignored=tuple(sorted(ignored)[: drift.MOST_NAMES]),
            columns_missing=drifted.missing,
            refusals=refusals,
        )


def _accepted(read: _Read, contract: Contract, reasons: Column | None, added: Sequence[str]) -> DataFrame:
    """Give the rows that the contract accepts, with the policy's reasons against them and the columns it adds."""
    names = ("file", "number", "text", "others", "lacks")
    native = read.rows.where("ok").select(*names, "row")
    proven = read.suspects.where(~_is_refused()).select(*names, F.struct(*_proven(contract)).alias("row"))
    return native.union(proven).select(
        "file",
        "number",
        "text",
        (F.array().cast(REASONS) if reasons is None else reasons).alias("reasons"),
        drift.with_columns(F.col("row"), F.col("text"), contract, added).alias("row"),
    )


def _has_reasons() -> Column:
    return F.size("reasons") > 0


def _proven(contract: Contract) -> Iterator[Column]:
    for place, field in enumerate(contract.fields):
        yield from_text(field, F.get("verdict.values", F.lit(place))).alias(field.name)


def _with_verdict(rows: DataFrame, contract: Contract, *, cells: bool) -> DataFrame:
    judge = F.udf(judge_with(contract, cells=cells), _VERDICT, useArrow=False)
    names = ("file", "number", "text", "others", "lacks", "flaw")
    return rows.where(~F.col("ok")).select(*names, judge("text", "flaw").alias("verdict"))


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


def _unnamed(contract: Contract, suspects: DataFrame) -> set[str]:
    """Name members within columns that the contract does not: rows with any are suspects."""
    if not any(field.nested for field in contract.fields):
        return set()
    names = suspects.select(F.explode("verdict.unnamed").alias("name")).distinct().limit(drift.MOST_NAMES)
    return {row.name for row in names.collect()}


def _refusals(refused: DataFrame) -> tuple[RefusalCount, ...]:
    reasons = refused.select(F.explode(F.array_distinct(F.transform("reasons", _kind))).alias("kind"))
    ranked = reasons.groupBy("kind.path", "kind.keyword").count().orderBy(F.desc("count"), "path", "keyword")
    rows = ranked.limit(MOST_KINDS).collect()
    return tuple(RefusalCount(path=row.path, keyword=row.keyword, rows=row["count"]) for row in rows)


def _kind(reason: Column) -> Column:
    return F.struct(reason["path"].alias("path"), reason["keyword"].alias("keyword"))
