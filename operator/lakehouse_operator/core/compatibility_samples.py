"""Instances of a schema: a few, the simplest first, at the edges of what it allows; always the same ones.

They are guesses. Whether an instance is valid, the validator says (compatibility_proof.py); a keyword that is not
understood here only makes the guess worse.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

from lakehouse_operator.core.compatibility_members import Schema, properties_of, resolved
from lakehouse_operator.core.compatibility_strings import matching

MOST_OF_A_VALUE: Final = 14
MOST_OF_AN_OBJECT: Final = 400
_DEEPEST: Final = 6
_LONGEST_STRING: Final = 100_000
_MOST_ITEMS: Final = 1_000
_ANYTHING: Final[tuple[Any, ...]] = ("x", 1, 0.5, True, None, [], {}, "", -1, ["x"], {"x": 1})
_TYPES: Final = ("string", "integer", "number", "boolean", "null", "array", "object")
_FORMATS: Final = {
    "date": ("2026-01-31",),
    "date-time": ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+01:00"),
    "time": ("12:00:00Z",),
    "duration": ("P1D",),
    "email": ("a@example.com",),
    "hostname": ("example.com",),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1",),
    "regex": ("a+",),
    "uri": ("https://example.com/",),
    "uuid": ("123e4567-e89b-12d3-a456-426614174000",),
}
_WORDS: Final = ("a", "b", "x", "~", "0", "A", "2026-01-31", "a@example.com", "true")


def samples(schema: Schema, root: Schema, depth: int = 0) -> Iterator[Any]:
    """Give some instances that the schema is likely to allow."""
    whole = resolved(schema, root)
    if whole is False or depth > _DEEPEST:
        return
    if not isinstance(whole, Mapping) or not whole:
        yield from _ANYTHING
        return
    yield from islice(_distinct(_of(whole, root, depth)), MOST_OF_AN_OBJECT if depth == 0 else MOST_OF_A_VALUE)


def _of(schema: Mapping[str, Any], root: Schema, depth: int) -> Iterator[Any]:
    if "const" in schema:
        yield schema["const"]
    elif isinstance(schema.get("enum"), list):
        yield from schema["enum"]
    elif branches := list(_branches(schema, root)):
        yield from _in_turns([samples(branch, root, depth + (1 if depth else 0)) for branch in branches])
    else:
        yield from _in_turns([_OF_TYPE[one](schema, root, depth) for one in _types(schema)])


def _types(schema: Mapping[str, Any]) -> list[str]:
    declared = schema.get("type", _TYPES)
    named = [declared] if isinstance(declared, str) else declared
    return [one for one in named if one in _OF_TYPE]


def _branches(schema: Mapping[str, Any], root: Schema) -> Iterator[Schema]:
    """Give what the schema becomes under each choice it leaves; none if it leaves none."""
    for keyword in ("allOf", "anyOf", "oneOf"):
        parts = schema.get(keyword)
        if not isinstance(parts, list):
            continue
        rest = {name: value for name, value in schema.items() if name != keyword}
        if keyword == "allOf":
            yield _joined([rest, *(resolved(part, root) for part in parts)])
        else:
            yield from (_joined([rest, resolved(part, root)]) for part in parts)
        return
    if "if" in schema:
        rest = {name: value for name, value in schema.items() if name not in {"if", "then", "else"}}
        yield _joined([rest, schema["if"], schema.get("then", {})])
        yield _joined([rest, schema.get("else", {})])


def _joined(parts: list[Schema]) -> Schema:
    """Join schemas that hold at once, as well as a guess needs it."""
    joined: dict[str, Any] = {}
    for part in parts:
        if part is False:
            return False
        for keyword, value in part.items() if isinstance(part, Mapping) else ():
            joined[keyword] = _both(keyword, joined[keyword], value) if keyword in joined else value
    return joined


def _both(keyword: str, one: Any, other: Any) -> Any:
    join = _JOINS.get(keyword)
    return join(one, other) if join and type(one) is type(other) else other


def _properties(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    shared = {name: _joined([one[name], other[name]]) for name in one if name in other}
    return {**one, **other, **shared}


def _all(one: list[Any], other: list[Any]) -> list[Any]:
    return [*one, *other]


def _shared(one: list[Any], other: list[Any]) -> list[Any]:
    return [value for value in one if value in other]


def _types_of_both(one: Any, other: Any) -> Any:
    return one if isinstance(one, str) else _shared(one, other)


_JOINS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "required": _all,
    "allOf": _all,
    "properties": _properties,
    "enum": _shared,
    "type": _types_of_both,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}


# --- by type -------------------------------------------------------------------------------------------------------


def _strings(schema: Mapping[str, Any], _: Schema, __: int) -> Iterator[str]:
    least, most = _bound(schema, "minLength", 0), _bound(schema, "maxLength", _LONGEST_STRING)
    wanted = dict.fromkeys((least, min(least + 1, most), most))
    known = _FORMATS.get(str(schema.get("format")), ())
    found = matching(schema["pattern"]) if isinstance(schema.get("pattern"), str) else iter(())
    lengths = (char * length for char in "a~0" for length in wanted if length < _LONGEST_STRING)
    for text in chain(known, found, lengths, _WORDS):
        if least <= len(text) <= most:
            yield text


def _numbers(
    schema: Mapping[str, Any], _: Schema, __: int, fractions: tuple[float, ...] = (0.5, 0.001)
) -> Iterator[Any]:
    step = schema.get("multipleOf", 1)
    for edge, away in (("minimum", 1), ("maximum", -1), ("exclusiveMinimum", 1), ("exclusiveMaximum", -1)):
        if edge in schema:
            yield from (schema[edge], schema[edge] + away * step)
            yield from (schema[edge] + away * fraction for fraction in fractions)
    yield from (0, step, -step, 7 * step, 1, -1, *fractions, *(-one for one in fractions), 10**6, -(10**6))


def _integers(schema: Mapping[str, Any], root: Schema, depth: int) -> Iterator[int]:
    edges = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    for value in _numbers(schema, root, depth, ()):
        if value == int(value):
            yield int(value)
        elif any(schema.get(edge) == value for edge in edges):
            yield from (int(value), int(value) + 1, int(value) - 1)


def _booleans(_: Mapping[str, Any], __: Schema, ___: int) -> Iterator[bool]:
    yield from (True, False)


def _null(_: Mapping[str, Any], __: Schema, ___: int) -> Iterator[None]:
    yield None


def _arrays(schema: Mapping[str, Any], root: Schema, depth: int) -> Iterator[list[Any]]:
    first = [next(samples(one, root, depth + 1), None) for one in schema.get("prefixItems") or ()]
    needed = next(samples(schema["contains"], root, depth + 1), None) if "contains" in schema else None
    first = [*first, *([needed] if "contains" in schema else [])]
    items = list(samples(schema.get("items", True), root, depth + 1))
    least = _bound(schema, "minItems", 0)
    most = _bound(schema, "maxItems", least + 2)
    for length in dict.fromkeys((least, max(least, len(first)), least + 1, min(most, _MOST_ITEMS))):
        yield [*first, *_repeated(items, length - len(first))][:length]
    for item in items:
        yield [*first, *[item] * max(1, least - len(first))]


def _repeated(items: list[Any], count: int) -> list[Any]:
    """Repeat what there is, different ones first."""
    return [items[index % len(items)] for index in range(min(count, _MOST_ITEMS))] if items else []


def _objects(schema: Mapping[str, Any], root: Schema, depth: int) -> Iterator[dict[str, Any]]:
    """Give the least object, then others that differ from it in one member."""
    members = {name: list(samples(one, root, depth + 1)) for name, one in properties_of(schema).items()}
    required = [name for name in schema.get("required") or () if isinstance(name, str)]
    anything = list(samples(schema.get("additionalProperties", True), root, depth + 1))
    base: dict[str, Any] = {}
    for name in dict.fromkeys(required):
        known = members.get(name, anything)
        if not known:
            return
        base[name] = known[0]
    base = _filled(base, _bound(schema, "minProperties", 0), anything)
    yield base
    yield {**{name: values[0] for name, values in members.items() if values}, **base}
    yield from _in_turns([_with(base, name, values) for name, values in members.items()])
    names = [name for pattern in schema.get("patternProperties") or () for name in islice(matching(pattern), 1)]
    yield from ({**base, name: value} for name in (*names, "other") for value in anything)


def _with(base: dict[str, Any], name: str, values: list[Any]) -> Iterator[dict[str, Any]]:
    yield from ({**base, name: value} for value in values)


def _filled(base: dict[str, Any], least: int, anything: list[Any]) -> dict[str, Any]:
    missing = range(min(least, _MOST_ITEMS) - len(base)) if anything else ()
    return {**base, **{f"other{index}": anything[0] for index in missing}}


def _bound(schema: Mapping[str, Any], keyword: str, default: int) -> int:
    value = schema.get(keyword, default)
    return int(value) if isinstance(value, int | float) else default


def _in_turns(sources: list[Iterator[Any]]) -> Iterator[Any]:
    """Take one of each, as long as there are any."""
    while sources:
        left = []
        for source in sources:
            for value in islice(source, 1):
                yield value
                left.append(source)
        sources = left


def _distinct(values: Iterator[Any]) -> Iterator[Any]:
    seen = set()
    for value in values:
        mark = repr(value)
        if mark not in seen:
            seen.add(mark)
            yield value


_OF_TYPE: Final = {
    "string": _strings,
    "integer": _integers,
    "number": _numbers,
    "boolean": _booleans,
    "null": _null,
    "array": _arrays,
    "object": _objects,
}
