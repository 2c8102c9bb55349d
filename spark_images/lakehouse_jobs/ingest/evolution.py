"""A table that follows its contract: columns are added and widened, never removed, never narrowed.

Each change is a commit of its own in the table's history, made before the batch is written. A driver that dies in
between leaves columns without values, which the next attempt finds there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, DataType, DecimalType, LongType, MapType, StructField, StructType

from lakehouse_api.columns import quoted
from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.storage import to_hadoop

_WIDENING: Final = "delta.enableTypeWidening"
_METADATA: Final = "spark.databricks.delta.commitInfo.userMetadata"
_LONG_DIGITS: Final = 19


class Column(NamedTuple):
    """A column, or one within a column, by its path, in which arrays have an `element` and maps a `value`."""

    path: tuple[str, ...]
    type: DataType

    @property
    def told(self) -> str:
        """Give path and type as people read them."""
        return f"{'.'.join(self.path)} {self.type.simpleString()}"

    @property
    def sql(self) -> str:
        """Give the path as SQL takes it."""
        return ".".join(map(quoted, self.path))


@dataclass(frozen=True, kw_only=True)
class Evolution:
    """What a table needs before rows of other columns fit it."""

    added: tuple[Column, ...] = ()
    widened: tuple[Column, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """Say each change in a few words."""
        widened = [f"{'.'.join(one.path)} widened to {one.type.simpleString()}" for one in self.widened]
        return (*(f"{one.told} added" for one in self.added), *widened)


@dataclass(frozen=True, kw_only=True)
class _Difference:
    """A column that the rows have otherwise than the table; `has` is None if the table lacks it."""

    has: DataType | None
    wanted: Column


def evolution(uri: str, has: StructType | None, wanted: StructType, *, widen: bool) -> Evolution:
    """Compare a table's columns with those of the rows; raise SchemaMismatch for what cannot be brought together.

    `has` is None for a table that does not exist yet: it is created as wanted.
    """
    if has is None:
        return Evolution()
    differences = list(_differences(has, Column((), wanted)))
    wider = [one for one in differences if widen and one.has is not None and widens(one.has, one.wanted.type)]
    stuck = [one for one in differences if one.has is not None and one not in wider]
    if stuck:
        raise _mismatch(uri, stuck, widen=widen)
    return Evolution(
        added=tuple(one.wanted for one in differences if one.has is None), widened=tuple(one.wanted for one in wider)
    )


def begun_with(wanted: StructType, contract: frozenset[str]) -> tuple[str, ...]:
    """Say which columns a table is created with that the contract does not name."""
    others = (Column((field.name,), field.dataType) for field in wanted if field.name not in contract)
    return tuple(f"{one.told} added" for one in others)


def _differences(has: DataType, wanted: Column) -> Iterator[_Difference]:
    path, type_ = wanted
    if isinstance(has, StructType) and isinstance(type_, StructType):
        known = {field.name.lower(): field for field in has}
        for field in type_:
            found = known.get(field.name.lower())
            column = Column((*path, found.name if found else field.name), field.dataType)
            yield from _differences(found.dataType, column) if found else [_Difference(has=None, wanted=column)]
    elif isinstance(has, ArrayType) and isinstance(type_, ArrayType):
        yield from _differences(has.elementType, Column((*path, "element"), type_.elementType))
    elif isinstance(has, MapType) and isinstance(type_, MapType) and has.keyType == type_.keyType:
        yield from _differences(has.valueType, Column((*path, "value"), type_.valueType))
    elif has != type_:
        yield _Difference(has=has, wanted=wanted)


def widens(old: DataType, new: DataType) -> bool:
    """Tell whether every value of a type is kept by another, and Delta can read old files as that."""
    if not isinstance(new, DecimalType):
        return False
    digits, scale = new.precision - new.scale, new.scale
    if isinstance(old, LongType):
        return digits > _LONG_DIGITS
    return isinstance(old, DecimalType) and digits >= old.precision - old.scale and scale >= old.scale


def _mismatch(uri: str, stuck: list[_Difference], *, widen: bool) -> Exception:
    told = "; ".join(
        f"{'.'.join(one.wanted.path)} is {one.has.simpleString()}, not {one.wanted.type.simpleString()}"
        for one in stuck
        if one.has is not None
    )
    evolve = not widen and any(one.has is not None and widens(one.has, one.wanted.type) for one in stuck)
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
            columns = ", ".join(f"{one.sql} {_ddl(one.type)}" for one in changes.added)
            spark.sql(f"ALTER TABLE {table} ADD COLUMNS ({columns})")
        if changes.widened:
            spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('{_WIDENING}' = 'true')")
        for one in changes.widened:
            spark.sql(f"ALTER TABLE {table} ALTER COLUMN {one.sql} TYPE {one.type.simpleString()}")


@contextmanager
def _explained(spark: SparkSession, why: str) -> Iterator[None]:
    spark.conf.set(_METADATA, re.sub(r"\s+", " ", why))
    try:
        yield
    finally:
        spark.conf.unset(_METADATA)


def _ddl(type_: DataType) -> str:
    """Write a type as SQL takes it, the names within it quoted where that is needed."""
    return StructType([StructField("c", type_)]).toDDL().partition(" ")[2]
