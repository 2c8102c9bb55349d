"""Rows understood as changes: what they are about, which of two is newer, and whether one is a deletion."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import ArrayType, BooleanType, StructField, StructType

from lakehouse_api.columns import ColumnKind
from lakehouse_api.target import History, Merge
from lakehouse_jobs.contract.columns import column_type
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import JobError, causes, said, spec_wrong
from lakehouse_jobs.ingest.tables import PROVENANCE
from lakehouse_jobs.ingest.targets.columns import column

DELETED: Final = "_deleted"
SEQUENCE: Final = "_sequence"
VALID_FROM: Final = "_valid_from"
VALID_TO: Final = "_valid_to"
CURRENT: Final = "_current"
CONFIRMED: Final = "_confirmed"
OWN_NAMES: Final = frozenset({DELETED, SEQUENCE, VALID_FROM, VALID_TO, CURRENT, CONFIRMED})
"""Names that the columns of a contract cannot have beside those of a merge."""
_OF_VALUES: Final = "SQLSTATE: 22"
_COMPARABLE: Final = frozenset(ColumnKind) - {ColumnKind.STRUCT, ColumnKind.ARRAY, ColumnKind.MAP, ColumnKind.JSON}


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How the rows of a contract are to be merged."""

    merge: Merge
    contract: Contract

    def check(self, spark: SparkSession) -> None:
        """Raise MergeColumnUnknown, MergeColumnRefused or DeleteConditionInvalid."""
        kinds = {field.name: field.kind for field in self.contract.fields}
        taken = sorted(name for name in kinds if name.lower() in OWN_NAMES)
        if taken:
            raise _refused(f"the contract has a property {', '.join(taken)}, a name that a merged table needs itself")
        for role, names in (("keys", self.merge.keys), ("sequenceBy", self.merge.sequence_by)):
            known = kinds if role == "keys" else kinds | dict.fromkeys(PROVENANCE.names, ColumnKind.STRING)
            unknown = [name for name in names if name not in known]
            if unknown:
                raise spec_wrong(
                    "MergeColumnUnknown",
                    f"target.merge.{role}: {', '.join(unknown)} is not a property of the contract.",
                )
            nested = [name for name in names if known[name] not in _COMPARABLE]
            if nested:
                raise _refused(f"target.merge.{role}: {', '.join(nested)} has values that cannot be compared")
        self._check_condition(spark)

    def _check_condition(self, spark: SparkSession) -> None:
        condition = self.merge.deletes.when if self.merge.deletes else None
        if condition is None:
            return
        nothing = spark.createDataFrame([], self.row)
        try:
            kind = nothing.select(F.expr(condition).alias("condition")).schema["condition"].dataType
            plan = nothing.where(F.expr(condition).cast("boolean"))._jdf.queryExecution().analyzed()  # noqa: SLF001 (PySpark does not show plans)
        except PySparkException as error:
            raise _condition(condition, said(error, limit=400)) from error
        if not isinstance(kind, BooleanType):
            raise _condition(condition, f"it gives {kind.simpleString()}, not true or false")
        if not plan.deterministic() or not plan.subqueriesAll().isEmpty():
            raise _condition(condition, "it must follow from the row alone: no sub-queries, nothing random")

    def unevaluable(self, error: PySparkException) -> JobError | None:
        """Tell a condition that fails on some row, as by a division by zero, from other reasons why a merge fails."""
        chain = [str(error), *(cause.message for cause in causes(error))]
        found = next((text for text in chain if _OF_VALUES in text), None)
        if found is None or self.merge.deletes is None:
            return None
        problem = " ".join(found.split())[:300]
        return _condition(
            self.merge.deletes.when, f"it fails on some row: {problem} Use try_divide, try_cast or the like"
        )

    @property
    def row(self) -> StructType:
        """Give the columns of a row as it arrives."""
        return StructType([*(StructField(each.name, column_type(each)) for each in self.contract.fields), *PROVENANCE])

    @property
    def own_columns(self) -> StructType:
        """Give the columns that a merged table has beside those of its rows."""
        sequence = [self.row[name] for name in self.merge.sequence_by]
        kind = StructType(sequence) if len(sequence) > 1 else sequence[0].dataType
        deleted = StructType().add(DELETED, BooleanType())
        if self.merge.history is History.SCD1:
            return deleted.add(SEQUENCE, kind)
        spans = deleted.add(VALID_FROM, kind).add(VALID_TO, kind).add(CURRENT, BooleanType())
        return spans.add(CONFIRMED, ArrayType(kind))

    def rank(self, names: Iterable[str], *, of: str | None = None) -> Column:
        """Give what orders changes of one key: the sequence; of equals a deletion counts more, then the content.

        It follows from the changes alone, so whatever order they come in, the same one counts.
        """
        return F.struct(column(SEQUENCE, of=of), column(DELETED, of=of), self.content(names, of=of))

    def content(self, names: Iterable[str], *, of: str | None = None) -> Column:
        """Give a number that tells states of one key apart; what a row says of its time and origin is no content."""
        none = {*PROVENANCE.names, *OWN_NAMES, *self.merge.keys, *self.merge.sequence_by}
        return F.xxhash64(F.to_json(F.struct(F.lit(0), *(column(name, of=of) for name in names if name not in none))))

    @property
    def nullable(self) -> list[tuple[str, str]]:
        """Name the columns that the contract lets be NULL and a merge does not, with the reason to refuse a row."""
        required = set(self.contract.schema.get("required", []))
        sure = {field.name for field in self.contract.fields if field.name in required and _never_null(field.types)}
        keys = [(name, "MergeKeyNull") for name in self.merge.keys]
        sequence = [(name, "SequenceNull") for name in self.merge.sequence_by if name in self.contract.names]
        return [(name, reason) for name, reason in (*keys, *sequence) if name not in sure]

    def of(self, rows: DataFrame) -> DataFrame:
        """Add to rows whether they are deletions, and their place in the sequence of changes."""
        deleted = F.expr(self.merge.deletes.when) if self.merge.deletes else F.lit(False)  # noqa: FBT003 (a literal)
        sequence = [column(name) for name in self.merge.sequence_by]
        return rows.select(
            "*",
            F.coalesce(deleted, F.lit(False)).alias(DELETED),  # noqa: FBT003 (a literal)
            (F.struct(*sequence) if len(sequence) > 1 else sequence[0]).alias(SEQUENCE),
        )


def _never_null(types: frozenset[str]) -> bool:
    return bool(types) and "null" not in types


def _refused(problem: str) -> JobError:
    return spec_wrong("MergeColumnRefused", f"{problem}. Rename or choose other columns.")


def _condition(condition: str, problem: str) -> JobError:
    return spec_wrong("DeleteConditionInvalid", f"target.merge.deletes.when {condition!r}: {problem}.")
