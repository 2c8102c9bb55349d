"""Rows that are valid for a schema or nearly so, and ways to spoil them: few random rows would be worth judging."""

import json
import string
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lakehouse_api.references import written_out

_Drawn = TypeVar("_Drawn")
_LETTERS = string.ascii_letters + string.digits + " -_.@"
_WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "5",
    "true",
    "null",
    [],
    {},
    [None],
    {"a": None},
    2**53,
    2**63,
    10**30,
    "\U0001f600",
)
_TOKENS = ("1e400", "-0.0", "NaN", "01", '"\\ud800"', '"\\u0000"', "1.50", "0.10000000000000000001", "1e-400", "null")
_ENDINGS = ("\n", " ", "é", "\U0001f600", "\u2028", "\x00")
_TAILS = (" x", "}", ",", "{}", "]", '"', "\x00", "\ufeff", " // c")


def drawn(strategy: st.SearchStrategy[_Drawn], count: int) -> list[_Drawn]:
    """Draw so many examples one by one: a test judges them in one job, and one example of all would be too large."""
    found: list[_Drawn] = []

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(example: _Drawn) -> None:
        found.append(example)

    keep()
    return found


def near(schema: Any) -> st.SearchStrategy[Any]:
    """Give values of which most satisfy a schema."""
    if not isinstance(schema, Mapping) or not schema:
        return st.sampled_from(_WRONG)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema and "type" not in schema:
            return st.one_of(*map(near, schema[keyword]))
    types = schema.get("type", [])
    every = [types] if isinstance(types, str) else list(types)
    return st.one_of(*(_OF_TYPE[each](schema) for each in every)) if every else st.sampled_from(_WRONG)


def _string(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    formats: Mapping[str, st.SearchStrategy[Any]] = {
        "date": st.dates().map(str),
        "date-time": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
        "uuid": st.uuids().map(str),
        "email": st.text("ab@.", min_size=1, max_size=9),
    }
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], alphabet=st.characters(codec="ascii"))
    if schema.get("format") in formats:
        return formats[schema["format"]]
    shortest = schema.get("minLength", 0)
    return st.text(_LETTERS, min_size=shortest, max_size=max(shortest, min(schema.get("maxLength", 8), 20)))


def _integer(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    least, most = schema.get("minimum", -100), schema.get("maximum", 10**6)
    return st.one_of(
        st.integers(-5, 100), st.sampled_from([each for bound in (least, most) for each in _around(bound)])
    )


def _around(bound: float) -> tuple[float, ...]:
    return bound - 1, bound, bound + 1


def _number(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    bounds = [schema[key] for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if key in schema]
    return st.one_of(
        st.decimals(0, 10**6, places=2).map(float),
        st.decimals(0, 100, places=9).map(float),
        st.integers(-1, 10**9),
        st.sampled_from([0, *(each for bound in bounds for each in _around(bound))]),
    )


def _object(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    members, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    if not members:
        inner = near(rest) if isinstance(rest, Mapping) else st.sampled_from(_WRONG)
        return st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
    required = set(schema.get("required", []))
    return st.fixed_dictionaries(
        {name: near(part) for name, part in members.items() if name in required},
        optional={name: near(part) for name, part in members.items() if name not in required},
    )


def _array(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    return st.lists(near(schema.get("items", {})), min_size=min(schema.get("minItems", 0), 3), max_size=3)


_OF_TYPE: Mapping[str, Callable[[Mapping[str, Any]], st.SearchStrategy[Any]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
    "object": _object,
    "array": _array,
}


@st.composite
def spoiled(draw: st.DrawFn, contract: Mapping[str, Any], most: int = 2) -> str:
    """Give the text of a row for a contract, spoiled in none up to `most` ways."""
    row = draw(near({**written_out(dict(contract)), "type": "object"}))
    for _ in range(draw(st.integers(0, most))):
        _spoil(draw, row)
    text = json.dumps(row, ensure_ascii=draw(st.booleans()))
    return _spoiled_text(draw, text) if draw(st.integers(0, 5)) == 0 else text


def _spoil(draw: st.DrawFn, row: dict[str, Any]) -> None:
    """Drop, replace, or add a member, at the top or within."""
    name = draw(st.sampled_from(sorted(row))) if row else "extra"
    inner = row.get(name)
    if isinstance(inner, list) and inner and isinstance(inner[0], dict):
        inner = inner[0]
    if isinstance(inner, dict) and draw(st.booleans()):
        _spoil(draw, inner)
        return
    match draw(st.sampled_from(["drop", "swap", "null", "add", "text"])):
        case "drop":
            row.pop(name, None)
        case "swap":
            row[name] = draw(st.sampled_from(_WRONG))
        case "null":
            row[name] = None
        case "add":
            row[draw(st.sampled_from(["extra", "", name.swapcase()]))] = draw(st.sampled_from(_WRONG))
        case _:
            row[name] = str(row.get(name)) + draw(st.sampled_from(_ENDINGS))


def _spoiled_text(draw: st.DrawFn, text: str) -> str:
    if draw(st.booleans()):
        return text + draw(st.sampled_from(_TAILS))
    name = draw(st.sampled_from(["Id", "Amount", "rate", "items", "event_id", "TOTAL_AMOUNT"]))
    return f'{text[:-1]}{", " if len(text) > 2 else ""}"{name}": {draw(st.sampled_from(_TOKENS))}}}'
