"""What each format can tell natively of a row's fields: the ground on which `native` decides."""

from collections.abc import Mapping
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import (
    BooleanType,
    ByteType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
    TimestampType,
)

from lakehouse_api.columns import ColumnKind
from lakehouse_jobs.contract.native import EXACT_UP_TO, Cell, always, json_type, never, takes_null
from lakehouse_jobs.contract.schema import Contract, Field

MOMENT: Final = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'"
"""How a typed time is written as JSON: RFC 3339 in UTC."""

_INTEGER: Final = r"\A-?(?:0|[1-9][0-9]{0,14})\z"
_NUMBER: Final = r"\A-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?\z"
_RENDERED: Final = r"\A(?:[{\[\"]|true\z|false\z|-?[0-9][0-9.eE+-]*\z)"
"""How Spark's JSON reader renders tokens other than strings in a STRING column."""

_INTEGRAL: Final = (ByteType, ShortType, IntegerType, LongType)
_SPARK_TYPES: Final[Mapping[str | None, DataType]] = {
    "integer": LongType(),
    "number": DoubleType(),
    "boolean": BooleanType(),
}
_COLUMN_TYPES: Final[Mapping[ColumnKind, DataType]] = {
    ColumnKind.TIMESTAMP: TimestampType(),
    ColumnKind.DATE: DateType(),
    ColumnKind.BIGINT: LongType(),
    ColumnKind.DOUBLE: DoubleType(),
    ColumnKind.BOOLEAN: BooleanType(),
}


def csv_cells(contract: Contract, texts: Mapping[str, Column]) -> dict[str, Cell]:
    """Describe fields by the text of their CSV cells, which is NULL or empty where there is none."""
    return {
        field.name: _csv_cell(field, texts.get(field.name, F.lit(None).cast("string"))) for field in contract.fields
    }


def json_cells(contract: Contract, members: Mapping[str, Column], text: Column) -> dict[str, Cell]:
    """Describe fields by the members that Spark's JSON reader found, read as `json_column_type` says, in the text."""
    no_null = F.instr(text, "null") == 0
    return {field.name: _json_cell(field, members[field.name], no_null) for field in contract.fields}


def json_column_type(field: Field) -> DataType:
    """Give the type as which the JSON reader is to read a field."""
    return StringType() if field.kind is ColumnKind.DECIMAL else _SPARK_TYPES.get(json_type(field), StringType())


def column_type(field: Field) -> DataType:
    """Give the type of the field's column in the table."""
    return (
        DecimalType(*field.scale) if field.kind is ColumnKind.DECIMAL else _COLUMN_TYPES.get(field.kind, StringType())
    )


def typed_cells(contract: Contract, columns: Mapping[str, tuple[Column, DataType]]) -> dict[str, Cell]:
    """Describe fields by columns that have types of their own, as Parquet's; NULL is a missing member."""
    return {field.name: _typed_cell(field, *columns.get(field.name, _nothing())) for field in contract.fields}


def _nothing() -> tuple[Column, DataType]:
    return F.lit(None).cast("string"), StringType()


def _csv_cell(field: Field, text: Column) -> Cell:
    absent = F.coalesce(text, F.lit("")) == ""
    kind = json_type(field)
    if kind == "integer":
        known, value = text.rlike(_INTEGER), text.try_cast("bigint")
    elif kind == "number":
        known, value = text.rlike(_NUMBER), text.try_cast("double")
    elif kind == "boolean":
        known, value = text.isin("true", "false"), text == "true"
    else:
        known, value = ~absent, text
    column = (
        value if field.kind in {ColumnKind.BIGINT, ColumnKind.DOUBLE, ColumnKind.BOOLEAN} else text.try_cast(field.ddl)
    )
    if field.kind is ColumnKind.DECIMAL:
        known = known & text.rlike(_digits(field))
    return Cell(absent=absent, known=known, value=value, column=column)


def _digits(field: Field) -> str:
    precision, scale = field.scale
    fraction = rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""
    whole = rf"[0-9]{{1,{precision - scale}}}" if precision > scale else "0"
    return rf"\A-?{whole}{fraction}\z"


def _json_cell(field: Field, member: Column, no_null: Column) -> Cell:
    gone = member.isNull() if takes_null(field) else member.isNull() & no_null
    kind = json_type(field)
    if field.kind is ColumnKind.DECIMAL:
        return Cell(absent=gone, known=never(), value=member.try_cast("double"), column=member.try_cast(field.ddl))
    known = member.isNotNull()
    if kind == "string":
        known = known & ~member.rlike(_RENDERED)
    elif kind in {"integer", "number"}:
        known = known & _is_small(member)
    return Cell(absent=gone, known=known, value=member, column=_kept(field, member))


def _kept(field: Field, member: Column) -> Column:
    return member.try_cast(field.ddl) if field.kind in {ColumnKind.TIMESTAMP, ColumnKind.DATE} else member


def _typed_cell(field: Field, column: Column, type_: DataType) -> Cell:
    unknown = Cell(absent=column.isNull(), known=never(), value=_null(field), column=F.lit(None).cast(field.ddl))
    kind = json_type(field)
    if field.kind is ColumnKind.DECIMAL:
        return unknown
    if kind == "string":
        return _typed_text(field, column, type_, unknown)
    fits = {
        "integer": isinstance(type_, _INTEGRAL),
        "number": isinstance(type_, (*_INTEGRAL, DoubleType)),
        "boolean": isinstance(type_, BooleanType),
    }
    if kind is None or not fits[kind]:
        return unknown
    value = column.cast(_SPARK_TYPES[kind])
    known = column.isNotNull() if kind == "boolean" else _is_small(column)
    return Cell(absent=column.isNull(), known=known, value=value, column=value)


def _typed_text(field: Field, column: Column, type_: DataType, unknown: Cell) -> Cell:
    """A time is a string in JSON; `unknown` covers the columns that are neither strings nor times."""
    year = F.year(column).between(1, 9999) if isinstance(type_, TimestampType | DateType) else always()
    if isinstance(type_, StringType):
        known = F.is_valid_utf8(column)
        return Cell(absent=column.isNull(), known=known, value=column, column=column.try_cast(field.ddl))
    if isinstance(type_, TimestampType) and field.kind is ColumnKind.TIMESTAMP:
        return Cell(absent=column.isNull(), known=year, value=F.date_format(column, MOMENT), column=column)
    if isinstance(type_, DateType) and field.kind is ColumnKind.DATE:
        return Cell(absent=column.isNull(), known=year, value=F.date_format(column, "yyyy-MM-dd"), column=column)
    return unknown


def _null(field: Field) -> Column:
    return F.lit(None).cast(_SPARK_TYPES.get(json_type(field), StringType()))


def _is_small(number: Column) -> Column:
    """Tell whether Spark's and Python's arithmetic surely agree on a number; false for NaN and infinities."""
    return (number > -EXACT_UP_TO) & (number < EXACT_UP_TO)
