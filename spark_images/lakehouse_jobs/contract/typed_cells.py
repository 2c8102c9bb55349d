"""What columns with types of their own, as Parquet's and a database's, tell of the fields; and their rows as JSON.

The instance that a row stands for: NULL is a missing member (in a list it is a null); numbers and booleans are what
they are; a date is its text, a time the text in UTC, a time without a zone the text without one; structs and maps are
objects, lists arrays.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    ByteType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from lakehouse_api.columns import ColumnKind, Field
from lakehouse_jobs.contract.cell import Cell, json_type
from lakehouse_jobs.contract.conditions import Condition, all_of
from lakehouse_jobs.contract.keywords import is_local_time, is_small
from lakehouse_jobs.contract.schema import Contract

_LOCAL: Final = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"
_MOMENT: Final = f"{_LOCAL}'Z'"
_DAY: Final = "yyyy-MM-dd"
_AS_JSON: Final = {"timestampFormat": _MOMENT, "timestampNTZFormat": _LOCAL, "dateFormat": _DAY}
_INTEGRAL: Final = (ByteType, ShortType, IntegerType, LongType)
_TIMES: Final[Mapping[ColumnKind, tuple[type[DataType], str]]] = {
    ColumnKind.TIMESTAMP: (TimestampType, _MOMENT),
    ColumnKind.LOCAL: (TimestampNTZType, _LOCAL),
    ColumnKind.DATE: (DateType, _DAY),
}

Columns = Mapping[str, tuple[Column, DataType]]


def typed_cells(contract: Contract, columns: Columns) -> dict[str, Cell]:
    """Describe fields by columns and their types; one that there is no column for is missing in every row."""
    return {field.name: _member(field, columns) for field in contract.fields}


def typed_text(columns: Columns) -> Column:
    """Give the JSON text of the instance that a row stands for."""
    return F.to_json(F.struct(*(column.alias(name) for name, (column, _) in columns.items())), _AS_JSON)


def _member(field: Field, columns: Columns) -> Cell:
    if field.name in columns:
        column, type_ = columns[field.name]
        return _cell(field, column, type_)
    nothing = _nothing(field)
    return Cell(field=field, missing=True, empty=True, known=False, value=nothing, column=nothing)


def _nothing(field: Field) -> Column:
    return F.lit(None).cast(field.ddl)


def _cell(field: Field, column: Column, type_: DataType, *, optional: bool = True) -> Cell:
    describe = _DESCRIBED.get(json_type(field) or "") if field.kind is not ColumnKind.JSON else None
    cell = describe(field, column, type_) if describe else None
    gone = column.isNull()
    unknown = Cell(field=field, missing=gone, empty=gone, known=False, value=_nothing(field), column=_nothing(field))
    found = cell or unknown
    return found if optional else _within_list(found)


def _within_list(cell: Cell) -> Cell:
    """In a list nothing is missing: NULL is a null."""
    return replace(cell, missing=False)


def _described(field: Field, column: Column, known: Condition, value: Column, kept: Column) -> Cell:
    there = all_of([column.isNotNull(), known])
    return Cell(field=field, missing=column.isNull(), empty=column.isNull(), known=there, value=value, column=kept)


def _text(field: Field, column: Column, type_: DataType) -> Cell | None:
    """A time is a string in JSON."""
    if isinstance(type_, StringType):
        kept = column.try_cast(field.ddl)
        form = is_local_time(column) if field.kind is ColumnKind.LOCAL else True
        return _described(field, column, all_of([form, F.is_valid_utf8(column), kept.isNotNull()]), column, kept)
    time, written = _TIMES.get(field.kind, (None, ""))
    if time is None or not isinstance(type_, time):
        return None
    return _described(field, column, F.year(column).between(1, 9999), F.date_format(column, written), column)


def _boolean(field: Field, column: Column, type_: DataType) -> Cell | None:
    return _described(field, column, True, column, column) if isinstance(type_, BooleanType) else None  # noqa: FBT003 (a condition)


def _integer(field: Field, column: Column, type_: DataType) -> Cell | None:
    whole = isinstance(type_, _INTEGRAL) or (isinstance(type_, DecimalType) and type_.scale == 0)
    return _counted(field, column, column.try_cast("bigint"), type_) if whole else None


def _number(field: Field, column: Column, type_: DataType) -> Cell | None:
    known = isinstance(type_, (*_INTEGRAL, DoubleType, DecimalType))
    return _counted(field, column, column.cast("double"), type_) if known else None


def _counted(field: Field, column: Column, value: Column, type_: DataType) -> Cell | None:
    if field.kind is not ColumnKind.DECIMAL:
        return _described(field, column, is_small(value), value, value)
    scale = type_.scale if isinstance(type_, DecimalType) else 0
    if isinstance(type_, DoubleType) or scale > field.scale[1]:
        return None
    kept = column.try_cast(field.ddl)
    return _described(field, column, is_small(value) & kept.isNotNull(), value, kept)


def _object(field: Field, column: Column, type_: DataType) -> Cell | None:
    if isinstance(type_, StructType) and field.kind is ColumnKind.STRUCT:
        return _struct(field, column, type_)
    if isinstance(type_, MapType) and isinstance(type_.keyType, StringType) and field.kind is ColumnKind.MAP:
        return _map(field, column, type_.valueType)
    return None


def _struct(field: Field, column: Column, type_: StructType) -> Cell:
    columns = {each.name: (column[each.name], each.dataType) for each in type_}
    members = {each.name: _member(each, columns) for each in field.members}
    alone = all_of(columns[name][0].isNull() for name in columns if name not in members)
    kept = F.when(column.isNotNull(), F.struct(*(cell.column.alias(name) for name, cell in members.items())))
    cell = _described(field, column, alone, column, kept)
    return replace(cell, members=members, alone=alone)


def _map(field: Field, column: Column, type_: DataType) -> Cell:
    """A NULL in a map is left to the exact check: writers of JSON disagree on it."""
    within = _elements(field, type_)
    full = F.forall(F.map_values(column), lambda each: each.isNotNull())
    texts = F.forall(F.map_keys(column), F.is_valid_utf8)
    kept = F.transform_values(column, lambda _, each: within(each).column)
    return replace(_described(field, column, full & texts, column, kept), within=within)


def _list(field: Field, column: Column, type_: DataType) -> Cell | None:
    if not isinstance(type_, ArrayType) or field.kind is not ColumnKind.ARRAY:
        return None
    within = _elements(field, type_.elementType)
    kept = F.transform(column, lambda each: within(each).column)
    return replace(_described(field, column, True, column, kept), within=within)  # noqa: FBT003 (a condition)


def _elements(field: Field, type_: DataType) -> Callable[[Column], Cell]:
    element = field.element
    if element is None:
        raise TypeError(f"{field.ddl} has no elements")
    return lambda each: _cell(element, each, type_, optional=False)


_DESCRIBED: Final[Mapping[str, Callable[[Field, Column, DataType], Cell | None]]] = {
    "string": _text,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "object": _object,
    "array": _list,
}
