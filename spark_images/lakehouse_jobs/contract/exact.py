"""The exact verdict: `jsonschema` itself, for the rows that the native one did not accept. Runs in Spark's workers.

This is the only place that calls the validator on rows, so what a contract means is what this module says.
"""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from jsonschema import Draft202012Validator, ValidationError
from referencing.jsonschema import DRAFT202012

from lakehouse_api.references import registry
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.contract.writing import Reason, pointer, written

MOST_REASONS: Final = 20
LONGEST_MESSAGE: Final = 300
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class Verdict(NamedTuple):
    """No reasons: the row is valid and `values` has the text of each column, to be read by `columns.from_text`.

    `unnamed`: JSON Pointers of members within the row's columns that the contract does not name, and no column keeps.
    """

    reasons: list[Reason]
    values: list[str | None] | None
    unnamed: list[str] = []  # noqa: RUF012 (never changed)


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
        instance, precise = _parse(text), _parse(text, Decimal)
    except (ValueError, RecursionError) as error:
        return _refused([Reason("", "Malformed", f"not a JSON value: {error}")])
    return judge_instance(contract, instance, precise)


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
    except RecursionError:
        return _refused([Reason("", "Unrepresentable", "too deeply nested to be checked")])
    if errors:
        return _refused([_reason(error) for error in errors])
    if not isinstance(instance, dict):
        return _refused([Reason("", "Unrepresentable", "valid, but only an object can be a row")])
    row = written(contract, instance, precise)
    return _refused(row.lost) if row.lost else Verdict([], row.values, row.unnamed)


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
    schema = json.loads(document)
    # with its own parts looked up before: the library looks for some of them only among the known
    known = registry().with_resource("", DRAFT202012.create_resource(schema)).crawl()
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER, registry=known)


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
        yield f"/{pointer(str(part))}"
    if error.validator == "required":
        # one error per missing member, told apart by its text alone
        required: list[str] = error.validator_value  # type: ignore[assignment]  # as the keyword's own schema says
        missing = (name for name in required if error.message == f"{name!r} is a required property")
        yield from (f"/{pointer(name)}" for name in list(missing)[:1])
