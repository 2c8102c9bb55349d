"""Expectations of a batch beyond its schema, checked on rows that the contract accepts, before anything is committed.

Checks of rows are columns beside the row; one pass over the batch counts their violations and finds what the checks of
the whole batch need. NULL refers to nothing, is no duplicate, and makes an expression neither true nor false: as with
CHECK constraints, only what is false violates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any, Final, Self

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import BooleanType, DateType, StructType, TimestampNTZType, TimestampType

from lakehouse_api.columns import quoted
from lakehouse_api.enforcement import Expectation, ExpectationOutcome, ExpectationResult, OnViolation, Reference
from lakehouse_api.quantities import format_duration
from lakehouse_jobs.failures import ExpectationsFailed, JobError, said, spec_wrong, unavailable
from lakehouse_jobs.ingest.outcome import shown
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import REASONS
from lakehouse_jobs.ingest.work import moment
from lakehouse_jobs.storage import to_hadoop

KEYWORD: Final = "Expectation"
_JUDGED: Final = "_ingest_judged"
_BROKEN: Final = "_ingest_broken"
_TIMES: Final = (TimestampType, TimestampNTZType, DateType)


@dataclass(frozen=True, kw_only=True)
class Checks:
    """The expectations of a run; `references` says where the tables lie that some of them name."""

    spark: SparkSession
    expectations: Sequence[Expectation]
    references: Mapping[str, str]
    now: str

    @classmethod
    def of(cls, at: Surroundings) -> Self:
        """Take the expectations of a run."""
        job = at.run.job
        return cls(spark=at.spark, expectations=job.expectations, references=job.references, now=at.now)

    @property
    def of_rows(self) -> list[Expectation]:
        """Give those that single rows can violate."""
        return [each for each in self.expectations if each.of_rows]

    @property
    def quarantines(self) -> bool:
        """Tell whether a row that the contract accepts may be refused yet."""
        return any(each.on_violation is OnViolation.QUARANTINE for each in self.expectations)

    def require_valid(self, columns: StructType) -> None:
        """Raise ExpectationInvalid for what cannot be checked on rows of these columns, or ReferenceMissing."""
        nothing = self.spark.createDataFrame([], columns)
        for each in self.expectations:
            _require_columns(each, columns)
            if each.expression is not None:
                _require_condition(each, nothing)
            if each.reference is not None:
                self._known(each.name, each.reference)

    def applied(self, accepted: DataFrame) -> DataFrame:
        """Add `broken`, one boolean for each expectation of rows, and the reasons for which some refuse a row.

        `accepted` has `file`, `number`, `text`, `reasons` and `row`.
        """
        laid_out = accepted.select(F.struct(*accepted.columns).alias(_JUDGED), "row.*")
        conditions = []
        for place, each in enumerate(self.of_rows):
            laid_out, broken = self._broken(laid_out, each, place)
            conditions.append(F.coalesce(broken, F.lit(False)))  # noqa: FBT003 (a literal)
        checked = laid_out.withColumn(_BROKEN, F.array(*conditions).cast("array<boolean>"))
        columns = [F.col(_JUDGED)[name].alias(name) for name in accepted.columns if name != "reasons"]
        reasons = F.concat(F.col(_JUDGED)["reasons"], self._reasons(F.col(_BROKEN)))
        return checked.select(*columns, reasons.alias("reasons"), F.col(_BROKEN).alias("broken"))

    def _broken(self, rows: DataFrame, each: Expectation, place: int) -> tuple[DataFrame, Column]:
        if each.expression is not None:
            return rows, ~F.expr(each.expression)
        if each.unique is not None:
            return rows, _repeated(each.unique)
        if each.reference is None:
            raise ValueError(f"expectation {each.name} is none of rows")
        found = f"_ingest_found_{place}"
        keys = self._keys(each.reference, found)
        columns = [_column(name) for name in each.reference.columns]
        matches = [column == keys[f"{found}_{i}"] for i, column in enumerate(columns)]
        joined = rows.join(keys, reduce(and_, matches), "left")
        return joined, reduce(and_, (column.isNotNull() for column in columns)) & F.col(found).isNull()

    def _keys(self, reference: Reference, found: str) -> DataFrame:
        names = reference.keys or reference.columns
        other = self.spark.read.format("delta").load(to_hadoop(self.references[reference.table]))
        return (
            other.select(*(_column(name).alias(f"{found}_{i}") for i, name in enumerate(names)))
            .distinct()
            .withColumn(
                found,
                F.lit(True),  # noqa: FBT003 (a literal)
            )
        )

    def _known(self, name: str, reference: Reference) -> None:
        try:
            self._keys(reference, "found").schema  # noqa: B018 (looking is what is wanted)
        except PySparkException as error:
            raise self._reference_problem(name, reference, error) from error

    def _reference_problem(self, name: str, reference: Reference, error: PySparkException) -> JobError:
        if "UNRESOLVED_COLUMN" in (error.getCondition() or ""):
            return spec_wrong(
                "ExpectationInvalid",
                f"expectation {name}: table {reference.table} lacks some of "
                f"{shown(reference.keys or reference.columns)}.",
            )
        return unavailable(
            "ReferenceMissing",
            f"expectation {name}: table {reference.table} cannot be read: {said(error)}. If another pipeline is yet "
            "to make it, the next attempt finds it.",
        )

    def _reasons(self, broken: Column) -> Column:
        refusing = [
            F.when(F.get(broken, F.lit(place)), _reason(each))
            for place, each in enumerate(self.of_rows)
            if each.on_violation is OnViolation.QUARANTINE
        ]
        return F.array_compact(F.array(*refusing)).cast(REASONS)

    def results(self, checked: DataFrame) -> list[ExpectationResult]:
        """Judge the batch; raise ExpectationFailed for those that must not be violated.

        `checked` is what `applied` gave; the checks of the whole batch look at the rows that are written.
        """
        counts = [F.count_if(F.get("broken", F.lit(place))) for place in range(len(self.of_rows))]
        written = F.size("reasons") == 0
        wholes = [each for each in self.expectations if not each.of_rows]
        found = [_seen(each, written) for each in wholes]
        try:
            row = checked.agg(F.count_if(written), *counts, *found).collect()[0]
        except PySparkException as error:
            raise _cannot_be_evaluated(error) from error
        violated = dict(zip([each.name for each in self.of_rows], row[1 : 1 + len(counts)], strict=True))
        seen = dict(zip([each.name for each in wholes], row[1 + len(counts) :], strict=True))
        results = [
            _of_rows(each, violated[each.name]) if each.of_rows else self._of_batch(each, row[0], seen[each.name])
            for each in self.expectations
        ]
        _refuse(self.expectations, results)
        return results

    def _of_batch(self, each: Expectation, rows: int, seen: Any) -> ExpectationResult:
        met, found = self._judged(each, rows, seen)
        return ExpectationResult(
            name=each.name, outcome=ExpectationOutcome.MET if met else ExpectationOutcome.WARNED, found=found
        )

    def _judged(self, each: Expectation, rows: int, seen: Any) -> tuple[bool, str]:
        if each.row_count is not None:
            low, high = each.row_count.min, each.row_count.max
            return (low is None or rows >= low) and (high is None or rows <= high), f"{rows} rows"
        if not rows:
            return True, "no rows"
        if each.null_share is not None:
            share = seen / rows
            return share <= each.null_share.max, f"{share:.4f} of {rows} rows without {each.null_share.column}"
        if each.max_age is None or seen is None:
            return seen is not None, "no value in any row"
        age = datetime.fromisoformat(self.now).timestamp() - float(seen)
        return (
            age <= each.max_age.age.total_seconds(),
            f"newest is {moment(int(seen * 1000))}, limit {format_duration(each.max_age.age)}",
        )


def _refuse(expectations: Sequence[Expectation], results: Sequence[ExpectationResult]) -> None:
    failed = [
        f"{each.name} ({result.found or f'{result.rows} rows'})"
        for each, result in zip(expectations, results, strict=True)
        if each.on_violation is OnViolation.FAIL and result.outcome is not ExpectationOutcome.MET
    ]
    if failed:
        raise ExpectationsFailed(
            f"the batch violates {shown(failed)}; nothing was committed. Correct the source, or what spec.contract."
            "expectations demands or does onViolation.",
            results,
        )


def _of_rows(each: Expectation, violated: int) -> ExpectationResult:
    refused = each.on_violation is OnViolation.QUARANTINE
    broken = ExpectationOutcome.QUARANTINED if refused else ExpectationOutcome.WARNED
    return ExpectationResult(name=each.name, outcome=broken if violated else ExpectationOutcome.MET, rows=violated)


def _seen(each: Expectation, written: Column) -> Column:
    if each.null_share is not None:
        return F.count_if(written & F.col("row")[each.null_share.column].isNull())
    if each.max_age is not None:
        newest = F.max(F.when(written, F.col("row")[each.max_age.column].cast("timestamp")))
        return newest.cast("double")
    return F.lit(None).cast("double")


def _column(name: str) -> Column:
    return F.col(quoted(name))


def _repeated(names: Sequence[str]) -> Column:
    columns = [_column(name) for name in names]
    order = Window.partitionBy(*columns).orderBy(f"{_JUDGED}.file", f"{_JUDGED}.number")
    return reduce(and_, (column.isNotNull() for column in columns)) & (F.row_number().over(order) > 1)


def _reason(each: Expectation) -> Column:
    what = f"expectation {each.name} is violated: {_demand(each)}"
    return F.struct(F.lit("").alias("path"), F.lit(KEYWORD).alias("keyword"), F.lit(what[:300]).alias("message"))


def _demand(each: Expectation) -> str:
    if each.expression is not None:
        return each.expression
    if each.unique is not None:
        return f"{', '.join(each.unique)} occurs once in a batch"
    return f"the row refers to one of {each.reference.table}" if each.reference else ""


def _require_columns(each: Expectation, columns: StructType) -> None:
    named = [*(each.unique or []), *(each.reference.columns if each.reference else [])]
    named += [each.null_share.column] if each.null_share else []
    named += [each.max_age.column] if each.max_age else []
    unknown = [name for name in named if name not in columns.names]
    if unknown:
        raise spec_wrong("ExpectationInvalid", f"expectation {each.name}: the contract has no column {shown(unknown)}.")
    if each.max_age and not isinstance(columns[each.max_age.column].dataType, _TIMES):
        kind = columns[each.max_age.column].dataType.simpleString()
        raise spec_wrong(
            "ExpectationInvalid",
            f"expectation {each.name}: {each.max_age.column} is {kind}, not a time. Give the property format date-time "
            "or date in the contract.",
        )


def _require_condition(each: Expectation, nothing: DataFrame) -> None:
    try:
        kind = nothing.select(F.expr(each.expression or "").alias("condition")).schema["condition"].dataType
    except PySparkException as error:
        raise spec_wrong("ExpectationInvalid", f"expectation {each.name}: {said(error)}.") from error
    if not isinstance(kind, BooleanType):
        raise spec_wrong(
            "ExpectationInvalid",
            f"expectation {each.name}: the expression gives {kind.simpleString()}, not true or false.",
        )


def _cannot_be_evaluated(error: PySparkException) -> Exception:
    """An expression that divides by zero or casts what cannot be cast ends the query, whichever row it was."""
    if error.getSqlState() is None or not str(error.getSqlState()).startswith("22"):
        return error
    return spec_wrong(
        "ExpectationInvalid",
        f"an expression of spec.contract.expectations cannot be evaluated for some row: {said(error)}. Use try_cast, "
        "try_divide or the like.",
    )
