"""Keywords for single values: strings, numbers and booleans."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import ColumnKind, types_of
from lakehouse_jobs.contract.cell import Cell, Write, json_type
from lakehouse_jobs.contract.conditions import Condition, all_of, exactly
from lakehouse_jobs.contract.patterns import to_java

EXACT_UP_TO: Final = 2**53
"""Below it every integer is a double, so that Spark's and Python's arithmetic agree. Known numbers are below it."""

_MATCHED_UP_TO: Final = 2000  # Java's matcher recurses for some expressions; a long value could exhaust the stack
_CALENDAR: Final = "(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}"  # the cast to the column's type knows the lengths of months
_SHIFTED: Final = "(?!0001|9999)"  # in those years an offset can lead out of the calendar
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_LOCAL: Final = rf"\A{_CALENDAR}T{_CLOCK}:[0-5][0-9](?:\.[0-9]{{1,6}})?\z"
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
FORMATS: Final = {
    "date": rf"\A{_CALENDAR}\z",
    "date-time": rf"\A{_SHIFTED}{_CALENDAR}T{_CLOCK}:[0-5][0-9](?:\.[0-9]{{1,6}})?(?:Z|[+-]{_CLOCK})\z",
    "email": "@",
    "idn-email": "@",
    "ipv4": rf"\A{_OCTET}(?:\.{_OCTET}){{3}}\z",
    "uuid": r"\A[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z",
}
_CAST_BY_FORMAT: Final = {"date": "date", "date-time": "timestamp"}
_NUMBERS: Final = frozenset({"integer", "number"})


def is_small(number: Column) -> Column:
    """Tell whether Spark's and Python's arithmetic surely agree on a number; false for NaN and infinities."""
    return (number > -EXACT_UP_TO) & (number < EXACT_UP_TO)


def is_local_time(text: Column) -> Column:
    """Tell whether a text is a time without a zone, in the only form that is taken."""
    return text.rlike(_LOCAL)


def _type(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    taken, kind = types_of(schema), json_type(cell.field)
    if kind in taken or (kind == "integer" and "number" in taken):
        return holds
    if kind == "number" and "integer" in taken:
        return exactly(cell.value == F.floor(cell.value), holds=holds)
    return not holds


def _one_of(cell: Cell, allowed: Iterable[Any], *, holds: bool) -> Condition:
    kind = json_type(cell.field)
    if kind not in _LITERALS:
        return False
    same = [literal for each in allowed if (literal := _LITERALS[kind](each)) is not None]
    return exactly(cell.value.isin(same) if same else False, holds=holds)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.encode("utf-8", "replace").decode() == value else None


def _number(value: Any) -> float | None:
    """Numbers beyond those that are known to a cell equal none of them."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < EXACT_UP_TO else None


def _integer(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


_LITERALS: Final[Mapping[str | None, Callable[[Any], Any]]] = {
    "string": _text,
    "number": _number,
    "integer": _integer,
    "boolean": lambda value: value if isinstance(value, bool) else None,
}


def _matches(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    if json_type(cell.field) != "string":
        return holds
    expression = to_java(schema["pattern"])
    return False if expression is None or not holds else _finds(expression, cell.value)


def _finds(expression: str, value: Column) -> Column:
    return F.when(F.length(value) <= _MATCHED_UP_TO, value.rlike(expression))


def _formatted(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    if json_type(cell.field) != "string":
        return holds
    name = schema["format"]
    if name not in FORMATS or not holds:
        return False
    shape = _finds(FORMATS[name], cell.value)
    was_cast = cell.field.kind in {ColumnKind.TIMESTAMP, ColumnKind.DATE}
    cast = None if was_cast else _CAST_BY_FORMAT.get(name)
    return shape & cell.value.try_cast(cast).isNotNull() if cast else shape


Compare = Callable[[Column, Any], Column]


def _length(keyword: str, compare: Compare, cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    if json_type(cell.field) != "string":
        return holds
    return exactly(compare(F.length(cell.value), _within_reach(schema[keyword])), holds=holds)


def _bounded(keyword: str, compare: Compare, cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    if json_type(cell.field) not in _NUMBERS:
        return holds
    return exactly(compare(cell.value, F.lit(_within_reach(schema[keyword]))), holds=holds)


def _within_reach(bound: float) -> float:
    """A bound beyond all known numbers compares with them as the nearest one that is still beyond them."""
    return max(min(bound, EXACT_UP_TO), -EXACT_UP_TO)


def _multiple(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    """The validator divides by fractions and takes remainders of whole numbers; so does this."""
    if json_type(cell.field) not in _NUMBERS:
        return holds
    factor = schema["multipleOf"]
    if isinstance(factor, float):
        quotient = cell.value.cast("double") / F.lit(factor)
        return all_of([is_small(quotient), exactly(F.floor(quotient) == quotient, holds=holds)])
    return exactly(cell.value % F.lit(factor) == 0, holds=holds) if factor < EXACT_UP_TO else False


SINGLE: Final[Mapping[str, Write]] = {
    "type": _type,
    "enum": lambda cell, schema, holds: _one_of(cell, schema["enum"], holds=holds),
    "const": lambda cell, schema, holds: _one_of(cell, [schema["const"]], holds=holds),
    "pattern": _matches,
    "format": _formatted,
    "minLength": partial(_length, "minLength", Column.__ge__),
    "maxLength": partial(_length, "maxLength", Column.__le__),
    "minimum": partial(_bounded, "minimum", Column.__ge__),
    "maximum": partial(_bounded, "maximum", Column.__le__),
    "exclusiveMinimum": partial(_bounded, "exclusiveMinimum", Column.__gt__),
    "exclusiveMaximum": partial(_bounded, "exclusiveMaximum", Column.__lt__),
    "multipleOf": _multiple,
}
