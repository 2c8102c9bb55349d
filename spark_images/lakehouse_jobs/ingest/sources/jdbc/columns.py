"""What a database says of a column, and as what it is landed. No Spark and no database here.

A value is read as the database writes it wherever the driver's own type could lose something: digits of a number, the
zone of a time, infinity. What it is worth is then decided here, once, for all dialects.
"""

from dataclasses import dataclass
from enum import StrEnum

from lakehouse_api.columns import ColumnKind, Field

MOST_DIGITS = 38
_USUAL_SCALE = 18


class Kind(StrEnum):
    """What the values of a column are. NUMBER is exact, of any size; DOUBLE is not exact."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    MOMENT = "time with a zone"
    LOCAL = "time without a zone"

    @property
    def orders(self) -> bool:
        """Tell whether values have an order in which new ones come last."""
        return self not in {Kind.DOUBLE, Kind.BOOLEAN}

    @property
    def timed(self) -> bool:
        """Tell whether values can be compared with a clock."""
        return self in {Kind.DATE, Kind.MOMENT, Kind.LOCAL}

    @property
    def divides(self) -> bool:
        """Tell whether the distance between two values can be divided into equal parts."""
        return self.timed or self in {Kind.INTEGER, Kind.NUMBER}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table or query. A number without declared digits has a precision of 0."""

    name: str
    type: str
    kind: Kind
    precision: int = 0
    scale: int = 0

    @property
    def decimal(self) -> tuple[int, int]:
        """Give precision and scale of a decimal type that holds the declared digits, or a usual one."""
        fits = 0 < self.precision <= MOST_DIGITS and 0 <= self.scale <= self.precision
        return (self.precision, self.scale) if fits else (MOST_DIGITS, _USUAL_SCALE)


def landed_type(column: Column, field: Field | None, *, zoned: bool) -> str:
    """Give the Spark type as which a column is landed, so that the contract can be judged natively where possible.

    `zoned`: times without a zone are meant in one that the source names.
    """
    kept = field.kind if field else None
    if column.kind is Kind.NUMBER:
        return _number_type(column, field)
    if column.kind is Kind.MOMENT or (column.kind is Kind.LOCAL and zoned):
        return "timestamp"
    if column.kind is Kind.LOCAL:
        return "timestamp_ntz" if kept == ColumnKind.LOCAL else "string"
    if column.kind is Kind.DATE:
        return "date"
    return {Kind.INTEGER: "bigint", Kind.DOUBLE: "double", Kind.BOOLEAN: "boolean"}.get(column.kind, "string")


def _number_type(column: Column, field: Field | None) -> str:
    precision, scale = column.decimal
    if field and field.kind == ColumnKind.BIGINT and (scale == 0 or column.precision == 0):
        return "bigint"
    if field and field.kind == ColumnKind.DOUBLE:
        return "double"
    if field and field.kind == ColumnKind.DECIMAL and column.precision == 0:
        return f"decimal({MOST_DIGITS},{max(field.scale[1], _USUAL_SCALE)})"
    return f"decimal({precision},{scale})"
