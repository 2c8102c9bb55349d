"""The slices of a backfill: ranges that together are the whole, each value in just one of them."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from lakehouse_api.backfill import BackfillRange, BackfillRequest
from lakehouse_api.quantities import parse_duration

MOST_SLICES = 1000
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,18})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DAY = timedelta(days=1)
Value = Any
"""A Decimal, a date or a datetime; both ends of a range are of the same type."""


def slices_of(request: BackfillRequest) -> list[BackfillRange]:
    """Cut a range; raise ValueError if it is none, or if there were too many slices."""
    if request.from_ is None or request.until is None:
        if request.slice_:
            raise ValueError("slice cuts a range; give from and until")
        return [request.range]
    first, end = _ends(request.from_, request.until)
    if not first < end:
        raise ValueError(f"from {request.from_} is not before until {request.until}")
    if request.slice_ is None:
        return [request.range]
    step = _step(request.slice_, first)
    if (end - first) / step > MOST_SLICES:
        raise ValueError(f"slice {request.slice_} makes more than {MOST_SLICES} slices; make it longer")
    edges = [request.from_, *map(_written, _inner(first, end, step)), request.until]
    return [request.range.model_copy(update={"from_": one, "until": other}) for one, other in pairwise(edges)]


def is_number(text: str) -> bool:
    """Tell numbers from times and dates."""
    return _NUMBER.fullmatch(text) is not None


def _ends(first: str, end: str) -> tuple[Value, Value]:
    one, other = _value("from", first), _value("until", end)
    if type(one) is not type(other):
        raise ValueError(f"from {first} and until {end} are not of the same kind: two dates, two times or two numbers")
    if isinstance(one, datetime) and (one.tzinfo is None) != (other.tzinfo is None):
        raise ValueError(f"of from {first} and until {end} only one has a zone")
    return one, other


def _value(field: str, text: str) -> Value:
    if is_number(text):
        return Decimal(text)
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{field}: {text!r} is no date, time or number; write for example 2026-01-31, 2026-01-31T06:00:00Z or 1000"
        ) from None


def _step(text: str, first: Value) -> Decimal | timedelta:
    if isinstance(first, Decimal):
        if not re.fullmatch(r"[1-9]\d{0,17}", text):
            raise ValueError(f"slice: {text!r} is no count; a range of numbers is cut by a number, such as 100000")
        return Decimal(text)
    try:
        step = parse_duration(text)
    except ValueError as error:
        raise ValueError(f"slice: {error}") from error
    if not step or (not isinstance(first, datetime) and step % _DAY):
        raise ValueError(f"slice: {text!r} must be longer than nothing, and whole days between dates")
    return step


def _inner(first: Value, end: Value, step: Decimal | timedelta) -> Iterator[Value]:
    edge = first
    while end - edge > step:
        edge += step
        yield edge


def _written(value: Value) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value.isoformat()).replace("+00:00", "Z")
