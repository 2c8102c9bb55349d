"""The exact verdict: `jsonschema` itself, for the rows that the native one did not accept. Runs in Spark's workers.

This is the only place that calls the validator on rows, so what a contract means is what this module says.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, NamedTuple

from jsonschema import Draft202012Validator, ValidationError

from lakehouse_api.columns import ColumnKind
from lakehouse_jobs.contract.schema import Contract, Field, registry

MOST_REASONS: Final = 20
LONGEST_MESSAGE: Final = 300
_LONGS: Final = range(-(2**63), 2**63)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MICROSECOND_DIGITS: Final = 6
_EXACT: Final = Context(prec=100)


class Reason(NamedTuple):
    """Why a row was refused: where (a JSON Pointer), by which keyword, and in words.

    Keywords in CamelCase are not JSON Schema's: Malformed, Encoding, Unrepresentable.
    """

    path: str
    keyword: str
    message: str


class Verdict(NamedTuple):
    """No reasons: the row is valid and `values` has the text of each column, castable to its type without loss."""

    reasons: list[Reason]
    values: list[str | None] | None


def judge_with(contract: Contract, *, cells: bool) -> Callable[[str | None, str | None], Verdict]:
    """Give the function that judges one row: its JSON text, and a flaw that the reader found, if any.

    With `cells` every member is a CSV cell, to be coerced first.
    """
    judge_text = judge_cells if cells else judge_json

    def judge(row: str | None, flaw: str | None) -> Verdict:
        if flaw:
            keyword, _, message = flaw.partition(": ")
            return _refused([Reason("", keyword, message)])
        return judge_text(contract, row or "")

    return judge


def judge_json(contract: Contract, text: str) -> Verdict:
    """Judge a row that is JSON already."""
    try:
        return judge_instance(contract, _parse(text), _parse(text, Decimal))
    except (ValueError, RecursionError) as error:
        return _refused([Reason("", "Malformed", f"not a JSON value: {error}")])


def judge_cells(contract: Contract, text: str) -> Verdict:
    """Judge a CSV row, given as a JSON object of its non-empty cells.

    An empty cell is a missing member. A cell of a property that takes no string becomes the number, true or false that
    its text is in JSON's grammar, if the property takes that type. All else is a string.
    """
    cells = json.loads(text)
    types = {field.name: field.types for field in contract.fields}
    instance = {name: _coerced(cell, types.get(name, frozenset()), float) for name, cell in cells.items()}
    precise = {name: _coerced(cell, types.get(name, frozenset()), Decimal) for name, cell in cells.items()}
    return judge_instance(contract, instance, precise)


def judge_instance(contract: Contract, instance: Any, precise: Any) -> Verdict:
    """Validate a JSON instance and, if it is valid, write its values for the table.

    The validator gets binary floats, as `json` reads them; decimal columns are written from `precise`.
    """
    try:
        errors = sorted(_validator(contract.document).iter_errors(instance), key=_order)
    except ArithmeticError:  # 1e400 is infinite as a float, which multipleOf cannot divide
        return _refused([Reason("", "Unrepresentable", "a number is too large to be checked")])
    if errors:
        return _refused([_reason(error) for error in errors])
    if not isinstance(instance, dict):
        return _refused([Reason("", "Unrepresentable", "valid, but only an object can be a row")])
    written = [_written(field, precise if field.kind is ColumnKind.DECIMAL else instance) for field in contract.fields]
    lost = [each for each in written if isinstance(each, Reason)]
    return _refused(lost) if lost else Verdict([], [each for each in written if not isinstance(each, Reason)])


def _parse(text: str, number: Callable[[str], Any] = float) -> Any:
    return json.loads(text, parse_float=number, parse_constant=_not_json)


def _coerced(cell: str, types: frozenset[str], number: Callable[[str], Any]) -> Any:
    if not types or "string" in types:
        return cell
    if types & {"number", "integer"} and _NUMBER.fullmatch(cell):
        return _parse(cell, number)
    return cell == "true" if "boolean" in types and cell in {"true", "false"} else cell


@lru_cache(maxsize=8)
def _validator(document: str) -> Draft202012Validator:
    return Draft202012Validator(
        json.loads(document), format_checker=Draft202012Validator.FORMAT_CHECKER, registry=registry()
    )


def _not_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")


def _refused(reasons: list[Reason]) -> Verdict:
    return Verdict([each._replace(message=each.message[:LONGEST_MESSAGE]) for each in reasons[:MOST_REASONS]], None)


def _order(error: ValidationError) -> tuple[str, str, str]:
    return error.json_path, str(error.validator), error.message


def _reason(error: ValidationError) -> Reason:
    return Reason("".join(_pointer(error)), str(error.validator), error.message)


def _pointer(error: ValidationError) -> Iterator[str]:
    for part in error.absolute_path:
        yield "/" + str(part).replace("~", "~0").replace("/", "~1")
    if error.validator == "required":
        # one error per missing member, told apart by its text alone
        required: list[str] = error.validator_value  # type: ignore[assignment]  # as the keyword's own schema says
        missing = (name for name in required if error.message == f"{name!r} is a required property")
        yield from (f"/{name}" for name in list(missing)[:1])


def _written(field: Field, instance: dict[str, Any]) -> str | Reason | None:
    value = instance.get(field.name)
    if value is None:
        return None
    try:
        return _WRITERS[field.kind](field, value)
    except (ValueError, OverflowError, InvalidOperation) as error:
        return Reason(f"/{field.name}", "Unrepresentable", f"valid, but not as {field.ddl}: {error}")


def _string(_: Field, value: str) -> str:
    value.encode()  # a lone surrogate is a JSON string but no text
    return value


def _timestamp(_: Field, value: str) -> str:
    stamp = value.upper().strip()
    fraction = re.match(r"[0-9]*", stamp.partition(".")[2])
    if fraction and len(fraction[0].rstrip("0")) > _MICROSECOND_DIGITS:
        raise ValueError(f"{value!r} is finer than a microsecond")
    return datetime.fromisoformat(stamp).astimezone(UTC).isoformat()


def _integer(_: Field, value: float) -> str:
    if int(value) not in _LONGS:
        raise ValueError(f"{value} does not fit into 64 bits")
    return str(int(value))


def _double(_: Field, value: float) -> str:
    as_double = float(value)
    if not math.isfinite(as_double) or as_double != value:
        raise ValueError("it cannot be kept exactly")
    return repr(as_double)


def _decimal(field: Field, value: int | Decimal) -> str:
    precision, scale = field.scale
    exact = Decimal(value)
    if exact != exact.quantize(Decimal(1).scaleb(-scale), context=_EXACT) or abs(exact) >= 10 ** (precision - scale):
        raise ValueError(f"{value} needs more digits")
    return f"{exact:f}"


def _boolean(_: Field, value: bool) -> str:  # noqa: FBT001 (the value itself)
    return "true" if value else "false"


def _json(_: Field, value: Any) -> str:
    return _string(_, json.dumps(value, ensure_ascii=False, separators=(",", ":")))


_WRITERS: Final[dict[ColumnKind, Callable[[Field, Any], str]]] = {
    ColumnKind.STRING: _string,
    ColumnKind.TIMESTAMP: _timestamp,
    ColumnKind.DATE: _string,
    ColumnKind.BIGINT: _integer,
    ColumnKind.DOUBLE: _double,
    ColumnKind.DECIMAL: _decimal,
    ColumnKind.BOOLEAN: _boolean,
    ColumnKind.JSON: _json,
}
