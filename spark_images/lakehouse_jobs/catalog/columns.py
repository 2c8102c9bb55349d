"""The columns of a Delta table as the catalogue shows them: in Hive's types, and in small letters, as Glue keeps names.

Engines read types and partitions from the table's log. These are for people, for column rights and for search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyspark.sql.types import (
    ArrayType,
    ByteType,
    CharType,
    DataType,
    DayTimeIntervalType,
    DecimalType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    VarcharType,
    VariantType,
    YearMonthIntervalType,
)

from lakehouse_jobs.reporting import one_line

COMMENT_LENGTH: Final = 255
_NAMES: Final[Mapping[type[DataType], str]] = {
    ByteType: "tinyint",
    ShortType: "smallint",
    IntegerType: "int",
    LongType: "bigint",
    StringType: "string",
    CharType: "string",
    VarcharType: "string",
    TimestampNTZType: "timestamp",
    VariantType: "string",
    DayTimeIntervalType: "string",
    YearMonthIntervalType: "string",
}
"""Where Hive's name is not Spark's, or Hive has no such type."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of an entry; what nobody has described has no comment."""

    name: str
    type: str
    comment: str = ""


def columns_of(schema: StructType, descriptions: Mapping[str, str]) -> tuple[Column, ...]:
    """Give the columns in the order of the table; a comment of the table goes before a description of the contract."""
    return tuple(
        Column(
            name=field.name.lower(),
            type=hive_type(field.dataType),
            comment=one_line(field.metadata.get("comment") or descriptions.get(field.name, ""), COMMENT_LENGTH),
        )
        for field in schema
    )


def hive_type(type_: DataType) -> str:
    """Write a type as Hive does."""
    if isinstance(type_, ArrayType):
        return f"array<{hive_type(type_.elementType)}>"
    if isinstance(type_, MapType):
        return f"map<{hive_type(type_.keyType)},{hive_type(type_.valueType)}>"
    if isinstance(type_, StructType):
        return f"struct<{','.join(f'{each.name.lower()}:{hive_type(each.dataType)}' for each in type_)}>"
    if isinstance(type_, DecimalType):
        return f"decimal({type_.precision},{type_.scale})"
    return _NAMES.get(type(type_), type_.typeName())


def descriptions_of(contract: Mapping[str, Any]) -> Mapping[str, str]:
    """Give what a contract says of its properties."""
    properties = contract.get("properties", {})
    told = {name: each.get("description") for name, each in properties.items() if isinstance(each, Mapping)}
    return {name: text for name, text in told.items() if isinstance(text, str)}


def split(columns: Sequence[Column], partitioned_by: Sequence[str]) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Split the columns into those of the rows and those of the partitions, these in the order of the partitions."""
    by_name = {column.name: column for column in columns}
    keys = tuple(by_name[name.lower()] for name in partitioned_by)
    return tuple(column for column in columns if column not in keys), keys
