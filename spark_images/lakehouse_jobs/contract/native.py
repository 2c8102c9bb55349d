"""The native verdict: expressions over columns that accept a row only if the validator would.

Soundness is the only duty here. A keyword without an expression, a value out of the range in which Spark and Python
surely agree, an ambiguity of the format: each merely leaves the row to the exact check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from operator import and_
from typing import Any, Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import SPARK_TYPE
from lakehouse_jobs.contract.patterns import to_java
from lakehouse_jobs.contract.schema import Contract, Field

EXACT_UP_TO: Final = 2**53
"""Below it every integer is a double, so that Spark's and Python's arithmetic agree."""

_MATCHED_UP_TO: Final = 2000  # Java's matcher recurses for some expressions; a long value could exhaust the stack
_ANNOTATIONS: Final = frozenset(
    {"$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", SPARK_TYPE}
)
_ROW_KEYWORDS: Final = _ANNOTATIONS | {
    "$schema",
    "$id",
    "$defs",
    "type",
    "properties",
    "required",
    "additionalProperties",
}
_CALENDAR: Final = "(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}"  # the cast to the column's type knows the lengths of months
_SHIFTED: Final = "(?!0001|9999)"  # in those years an offset can lead out of the calendar
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_FORMATS: Final = {
    "date": rf"\A{_CALENDAR}\z",
    "date-time": rf"\A{_SHIFTED}{_CALENDAR}T{_CLOCK}:[0-5][0-9](?:\.[0-9]{{1,6}})?(?:Z|[+-]{_CLOCK})\z",
    "email": "@",
    "idn-email": "@",
    "uuid": r"\A[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z",
}
_CAST_BY_FORMAT: Final = {"date": "date", "date-time": "timestamp"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one format can tell of one field of a row. The conditions may be NULL, which counts as false.

    `absent`: the instance surely lacks the member, or has a null that the field takes. `known`: the instance surely has
    it, and `value` is it (STRING, BIGINT, DOUBLE or BOOLEAN, by the field's type). `column`: as the table keeps it.
    """

    absent: Column
    known: Column
    value: Column
    column: Column


def accepts(contract: Contract, cells: Mapping[str, Cell], *, no_others: Column) -> Column:
    """Give the condition, never NULL, under which a row is surely valid and kept without loss.

    `no_others` says that the row has no members besides the contract's.
    """
    if not compiled(contract.schema):
        return never()
    parts = [_field(field, cells[field.name]) for field in contract.fields]
    if contract.schema.get("additionalProperties", True) is not True:
        parts.append(no_others)
    return F.coalesce(reduce(and_, parts), never())


def compiled(schema: Mapping[str, Any]) -> bool:
    """Tell whether everything that the contract demands of the row as a whole is expressed here."""
    named = set(schema.get("required", [])) <= set(schema["properties"])
    takes_objects = "type" not in schema or "object" in schema["type"]
    return named and takes_objects and all(key in _ROW_KEYWORDS or key.startswith("x-") for key in schema)


def always() -> Column:
    """Give the condition that holds."""
    return F.lit(True)  # noqa: FBT003 (a literal)


def never() -> Column:
    """Give the condition that does not hold."""
    return F.lit(False)  # noqa: FBT003 (a literal)


def takes_null(field: Field) -> bool:
    """Tell whether a null is surely valid for the field: no other keyword could refuse it."""
    harmless = _ANNOTATIONS | set(_KEYWORDS) - {"enum", "const"}
    return "null" in field.types and all(key in harmless or key.startswith("x-") for key in field.schema)


def json_type(field: Field) -> str | None:
    """Give the only JSON type beside null that the field's values have, if it has an expression of its own."""
    types = field.types - {"null"}
    if types == {"integer", "number"}:
        return "number"
    only = next(iter(types)) if len(types) == 1 else None
    return only if only in {"string", "integer", "number", "boolean"} else None


def _field(field: Field, cell: Cell) -> Column:
    present = _present(field, cell)
    return present if field.required else cell.absent | F.coalesce(present, never())


def _present(field: Field, cell: Cell) -> Column:
    checks = [_check(field, keyword, cell.value) for keyword in field.schema if keyword != "type"]
    expressed = [check for check in checks if check is not None]
    if json_type(field) is None or len(expressed) < len(checks):
        return never()
    return reduce(and_, expressed, cell.known & cell.column.isNotNull())


def _check(field: Field, keyword: str, value: Column) -> Column | None:
    if keyword in _ANNOTATIONS or keyword.startswith("x-"):
        return always()
    write = _KEYWORDS.get(keyword)
    return write(field, field.schema[keyword], value) if write else None


def _one_of(field: Field, allowed: Any, value: Column) -> Column:
    fits: Mapping[str | None, Callable[[Any], bool]] = {
        "string": lambda each: isinstance(each, str),
        "boolean": lambda each: isinstance(each, bool),
        "integer": _is_exact,
        "number": _is_exact,
    }
    fit = fits.get(json_type(field))
    same = [each for each in allowed if fit and fit(each)]
    return value.isin(same) if same else never()


def _constant(field: Field, allowed: Any, value: Column) -> Column:
    return _one_of(field, [allowed], value)


def _matches(field: Field, pattern: Any, value: Column) -> Column | None:
    if json_type(field) != "string":
        return always()
    expression = to_java(pattern)
    return None if expression is None else _finds(expression, value)


def _finds(expression: str, value: Column) -> Column:
    return F.when(F.length(value) <= _MATCHED_UP_TO, value.rlike(expression)).otherwise(never())


def _formatted(field: Field, name: Any, value: Column) -> Column | None:
    if json_type(field) != "string":
        return always()
    if name not in _FORMATS:
        return None
    shape = _finds(_FORMATS[name], value)
    cast = _CAST_BY_FORMAT.get(name)
    return shape & value.try_cast(cast).isNotNull() if cast else shape


def _length(field: Field, bound: Any, value: Column, *, compare: Callable[[Column, Any], Column]) -> Column:
    return compare(F.length(value), bound) if json_type(field) == "string" else always()


def _bounded(field: Field, bound: Any, value: Column, *, compare: Callable[[Column, Any], Column]) -> Column | None:
    if json_type(field) not in {"integer", "number"}:
        return always()
    return compare(value, F.lit(bound)) if _is_exact(bound) else None


def _multiple(field: Field, factor: Any, value: Column) -> Column | None:
    kind = json_type(field)
    if kind not in {"integer", "number"}:
        return always()
    whole = _is_exact(factor) and not isinstance(factor, float)
    return value % F.lit(factor) == 0 if kind == "integer" and whole else None


def _is_exact(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < EXACT_UP_TO


_KEYWORDS: Final[Mapping[str, Callable[[Field, Any, Column], Column | None]]] = {
    "type": lambda _field, _types, _value: always(),
    "enum": _one_of,
    "const": _constant,
    "pattern": _matches,
    "format": _formatted,
    "minLength": partial(_length, compare=Column.__ge__),
    "maxLength": partial(_length, compare=Column.__le__),
    "minimum": partial(_bounded, compare=Column.__ge__),
    "maximum": partial(_bounded, compare=Column.__le__),
    "exclusiveMinimum": partial(_bounded, compare=Column.__gt__),
    "exclusiveMaximum": partial(_bounded, compare=Column.__lt__),
    "multipleOf": _multiple,
}
"""By keyword, the condition under which a present value of the field's type satisfies it; None: not expressible."""
