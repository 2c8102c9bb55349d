"""What becomes of a property of a contract in the table: the kind and the type of its column."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

SPARK_TYPE: Final = "x-spark-type"
DECIMAL: Final = re.compile(r"decimal\(([0-9]{1,2}),\s*([0-9]{1,2})\)")


class ColumnKind(StrEnum):
    """How a property's values are kept in the table."""

    STRING = "string"
    TIMESTAMP = "timestamp"
    DATE = "date"
    BIGINT = "bigint"
    DOUBLE = "double"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    JSON = "json"


def types_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """Give the JSON types that a property names, none meaning any."""
    declared = schema.get("type", [])
    return frozenset([declared] if isinstance(declared, str) else declared)


def column_kind(schema: Mapping[str, Any]) -> ColumnKind:
    """Choose how the values of a property are kept."""
    types = types_of(schema) - {"null"}
    if SPARK_TYPE in schema:
        return ColumnKind.DECIMAL
    if types == {"string"}:
        times = {"date-time": ColumnKind.TIMESTAMP, "date": ColumnKind.DATE}
        return times.get(schema.get("format", ""), ColumnKind.STRING)
    if types == {"integer"}:
        return ColumnKind.BIGINT
    if types and types <= {"integer", "number"}:
        return ColumnKind.DOUBLE
    return ColumnKind.BOOLEAN if types == {"boolean"} else ColumnKind.JSON


def column_type(schema: Mapping[str, Any]) -> str:
    """Give the type of the column in SQL."""
    kind = column_kind(schema)
    if kind is ColumnKind.DECIMAL:
        return str(schema[SPARK_TYPE]).replace(" ", "")
    return "string" if kind is ColumnKind.JSON else kind.value
