"""A table that follows its contract: columns are added and widened, never removed, never narrowed.

Each change is a commit of its own in the table's history, made before the batch is written. A driver that dies in
between leaves columns without values, which the next attempt finds there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql.types import DataType, DecimalType, LongType, StructField, StructType

from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.storage import to_hadoop

_WIDENING: Final = "delta.enableTypeWidening"
_METADATA: Final = "spark.databricks.delta.commitInfo.userMetadata"
_LONG_DIGITS: Final = 19


@dataclass(frozen=True, kw_only=True)
class Evolution:
    """What a table needs before rows of other columns fit it."""

    added: tuple[StructField, ...] = ()
    widened: tuple[StructField, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """Say each change in a few words."""
        added = [f"{field.name} {field.dataType.simpleString()} added" for field in self.added]
        return (*added, *(f"{field.name} widened to {field.dataType.simpleString()}" for field in self.widened))


def evolution(uri: str, has: StructType | None, wanted: StructType, *, widen: bool) -> Evolution:
    """Compare a table's columns with those of the rows; raise SchemaMismatch for what cannot be brought together.

    `has` is None for a table that does not exist yet: it is created as wanted.
    """
    if has is None:
        return Evolution()
    known = {field.name.lower(): field for field in has}
    added = tuple(field for field in wanted if field.name.lower() not in known)
    other = [field for field in wanted if field not in added and known[field.name.lower()].dataType != field.dataType]
    wider = tuple(field for field in other if widen and widens(known[field.name.lower()].dataType, field.dataType))
    stuck = [field for field in other if field not in wider]
    if stuck:
        raise _mismatch(uri, known, stuck, widen=widen)
    return Evolution(added=added, widened=wider)


def widens(old: DataType, new: DataType) -> bool:
    """Tell whether every value of a type is kept by another, and Delta can read old files as that."""
    if not isinstance(new, DecimalType):
        return False
    digits, scale = new.precision - new.scale, new.scale
    if isinstance(old, LongType):
        return digits > _LONG_DIGITS
    return isinstance(old, DecimalType) and digits >= old.precision - old.scale and scale >= old.scale


def _mismatch(uri: str, known: dict[str, StructField], stuck: list[StructField], *, widen: bool) -> Exception:
    told = "; ".join(
        f"{field.name} is {known[field.name.lower()].dataType.simpleString()}, not {field.dataType.simpleString()}"
        for field in stuck
    )
    evolve = any(widens(known[field.name.lower()].dataType, field.dataType) for field in stuck) and not widen
    hint = "set contract.drift.typeChange to Evolve to widen it, " if evolve else ""
    return spec_wrong(
        "SchemaMismatch",
        f"table {uri} has other types: {told}. Change the table or the contract, {hint}or write to another table.",
    )


def evolve(spark: SparkSession, uri: str, changes: Evolution, *, why: str) -> None:
    """Carry out the changes; `why` goes into the table's history."""
    table = f"delta.`{to_hadoop(uri)}`"
    with _explained(spark, why):
        if changes.added:
            spark.sql(f"ALTER TABLE {table} ADD COLUMNS ({StructType(list(changes.added)).toDDL()})")
        if changes.widened:
            spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('{_WIDENING}' = 'true')")
        for field in changes.widened:
            spark.sql(f"ALTER TABLE {table} ALTER COLUMN {_quoted(field.name)} TYPE {field.dataType.simpleString()}")


@contextmanager
def _explained(spark: SparkSession, why: str) -> Iterator[None]:
    spark.conf.set(_METADATA, re.sub(r"\s+", " ", why))
    try:
        yield
    finally:
        spark.conf.unset(_METADATA)


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
