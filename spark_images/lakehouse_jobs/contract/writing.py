"""The values of a valid row, written as texts that are cast to the columns' types without loss.

A column within which there are others is written as JSON. In it decimals and times are strings, so that no reader can
round them.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from lakehouse_api.columns import ColumnKind, Field
from lakehouse_jobs.contract.schema import Contract

_LONGS: Final = range(-(2**63), 2**63)
_MICROSECOND_DIGITS: Final = 6
_EXACT: Final = Context(prec=100)
_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?")


class Reason(NamedTuple):
    """Why a row was refused: where (a JSON Pointer), by which keyword, and in words.

    Keywords in CamelCase are not JSON Schema's: Malformed, Encoding, Unrepresentable.
    """

    path: str
    keyword: str
    message: str


class Written(NamedTuple):
    """The text of each column, what no column can hold, and the members within columns that the contract names not.

    Of such a member one pointer is told, with `*` for the numbers and keys on the way.
    """

    values: list[str | None]
    lost: list[Reason]
    unnamed: list[str]


def written(contract: Contract, instance: Mapping[str, Any], precise: Mapping[str, Any]) -> Written:
    """Write a valid row; its numbers are binary floats in `instance` and decimals in `precise`."""
    writing = _Writing()
    values = []
    for field in contract.fields:
        value = writing.of(field, instance.get(field.name), precise.get(field.name), _Place().member(field.name))
        values.append(_as_json(value) if field.nested and value is not None else _as_text(value))
    return Written(values, writing.lost, list(writing.unnamed))


def pointer(name: str) -> str:
    """Write a name as part of a JSON Pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


class _Place(NamedTuple):
    """Where a value is: as a JSON Pointer, and as that of all such places, whatever their numbers and keys."""

    path: str = ""
    kind: str = ""

    def member(self, name: str) -> "_Place":
        return _Place(f"{self.path}/{pointer(name)}", f"{self.kind}/{pointer(name)}")

    def within(self, name: str) -> "_Place":
        return _Place(f"{self.path}/{pointer(name)}", f"{self.kind}/*")


class _Writing:
    """Walks through the values of one row and collects what it finds."""

    def __init__(self) -> None:
        self.lost: list[Reason] = []
        self.unnamed: dict[str, None] = {}

    def of(self, field: Field, value: Any, precise: Any, place: _Place) -> Any:
        if value is None:
            return None
        try:
            return self._inner(field, value, precise, place)
        except (ValueError, OverflowError, InvalidOperation) as error:
            self.lost.append(Reason(place.path, "Unrepresentable", f"valid, but not as {field.ddl}: {error}"))
            return None

    def _inner(self, field: Field, value: Any, precise: Any, place: _Place) -> Any:
        if field.kind is ColumnKind.STRUCT:
            return self._struct(field, value, precise, place)
        if field.element and field.kind is ColumnKind.ARRAY:
            element = field.element
            both = enumerate(zip(value, precise, strict=True))
            return [self.of(element, each, exact, place.within(str(number))) for number, (each, exact) in both]
        if field.element:
            element = field.element
            return {
                _string(key): self.of(element, each, precise[key], place.within(key)) for key, each in value.items()
            }
        return _WRITERS[field.kind](field, precise if field.kind is ColumnKind.DECIMAL else value)

    def _struct(self, field: Field, value: Any, precise: Any, place: _Place) -> Any:
        names = {each.name for each in field.members}
        self.unnamed.update(
            {place.member(name).kind: None for name, each in value.items() if name not in names and each is not None}
        )
        return {
            each.name: self.of(each, value[each.name], precise[each.name], place.member(each.name))
            for each in field.members
            if each.name in value
        }


def _string(value: str) -> str:
    value.encode()  # a lone surrogate is a JSON string but no text
    return value


def _timestamp(_: Field, value: str) -> str:
    stamp = value.upper().strip()
    fraction = re.match(r"[0-9]*", stamp.partition(".")[2])
    if fraction and len(fraction[0].rstrip("0")) > _MICROSECOND_DIGITS:
        raise ValueError(f"{value!r} is finer than a microsecond")
    return datetime.fromisoformat(stamp).astimezone(UTC).isoformat()


def _local(_: Field, value: str) -> str:
    if not _LOCAL.fullmatch(value):
        raise ValueError(f"{value!r} is not of the form YYYY-MM-DDThh:mm:ss.ffffff without a zone")
    return datetime.fromisoformat(value).isoformat()


def _integer(_: Field, value: float) -> int:
    if int(value) not in _LONGS:
        raise ValueError(f"{value} does not fit into 64 bits")
    return int(value)


def _double(_: Field, value: float) -> float:
    as_double = float(value)
    if not math.isfinite(as_double) or as_double != value:
        raise ValueError("it cannot be kept exactly")
    return as_double


def _decimal(field: Field, value: int | Decimal) -> str:
    precision, scale = field.scale
    exact = Decimal(value)
    if exact != exact.quantize(Decimal(1).scaleb(-scale), context=_EXACT) or abs(exact) >= 10 ** (precision - scale):
        raise ValueError(f"{value} needs more digits")
    return f"{exact:f}"


def _json(_: Field, value: Any) -> str:
    return _string(_as_json(value))


_WRITERS: Final[Mapping[ColumnKind, Callable[[Field, Any], Any]]] = {
    ColumnKind.STRING: lambda _, value: _string(value),
    ColumnKind.TIMESTAMP: _timestamp,
    ColumnKind.LOCAL: _local,
    ColumnKind.DATE: lambda _, value: _string(value),
    ColumnKind.BIGINT: _integer,
    ColumnKind.DOUBLE: _double,
    ColumnKind.DECIMAL: _decimal,
    ColumnKind.BOOLEAN: lambda _, value: value,
    ColumnKind.JSON: _json,
}
