"""The types of columns: in the table, and from the text of an exact verdict."""

from collections.abc import Callable, Mapping
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from lakehouse_api.columns import ColumnKind, Field

_WRITTEN_AS_TEXT: Final = frozenset(
    {ColumnKind.STRING, ColumnKind.TIMESTAMP, ColumnKind.LOCAL, ColumnKind.DATE, ColumnKind.DECIMAL, ColumnKind.JSON}
)
_TYPES: Final[Mapping[ColumnKind, DataType]] = {
    ColumnKind.TIMESTAMP: TimestampType(),
    ColumnKind.LOCAL: TimestampNTZType(),
    ColumnKind.DATE: DateType(),
    ColumnKind.BIGINT: LongType(),
    ColumnKind.DOUBLE: DoubleType(),
    ColumnKind.BOOLEAN: BooleanType(),
}


def column_type(field: Field) -> DataType:
    """Give the type of the field's column in the table."""
    if field.kind is ColumnKind.DECIMAL:
        return DecimalType(*field.scale)
    return _nested(field, column_type) or _TYPES.get(field.kind, StringType())


def from_text(field: Field, text: Column) -> Column:
    """Give the column of a field from the text that the exact verdict has for it, which fits its type without loss."""
    if field.nested:
        return F.from_json(text, F.lit(_written_type(field).json())).try_cast(field.ddl)
    return text.try_cast(field.ddl)


def _written_type(field: Field) -> DataType:
    """The exact verdict writes times and decimals as strings, in which no digit is lost."""
    return _nested(field, _written_type) or (StringType() if field.kind in _WRITTEN_AS_TEXT else _TYPES[field.kind])


def _nested(field: Field, within: Callable[[Field], DataType]) -> DataType | None:
    if field.kind is ColumnKind.STRUCT:
        return StructType([StructField(each.name, within(each)) for each in field.members])
    if field.element is None:
        return None
    element = within(field.element)
    return ArrayType(element) if field.kind is ColumnKind.ARRAY else MapType(StringType(), element)
