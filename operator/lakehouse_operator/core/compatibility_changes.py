"""The differences between two schemas, one by one, each with what it does and what it breaks."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from referencing.exceptions import Unresolvable

from lakehouse_api.columns import DECIMAL, Field, field_of
from lakehouse_api.references import written_out
from lakehouse_operator.core.compatibility_members import Schema, properties_of, resolved
from lakehouse_operator.core.compatibility_proof import contained
from lakehouse_operator.core.compatibility_rules import (
    ABSENT,
    GROUPS,
    MEANINGS,
    NOTES,
    SILENT,
    WALKED,
    direction_of,
    kind_of,
)
from lakehouse_operator.core.compatibility_verdict import Change, Direction, Promise

_DEEPEST: Final = 12
_LONGEST_VALUE: Final = 80
_LONG_DIGITS: Final = 19
"""Digits before the point of the largest 64-bit integer; Delta wants one more."""
_BREAKS: Final = {
    Direction.TIGHTENS: (Promise.ROWS,),
    Direction.LOOSENS: (Promise.VALUES,),
    Direction.BOTH: (Promise.ROWS, Promise.VALUES),
    Direction.UNKNOWN: (Promise.ROWS, Promise.VALUES),
    Direction.NEITHER: (),
}
_KINDS_OF_VALUES: Final = frozenset({"string", "integer", "fraction", "boolean", "null", "array", "object"})


def changes_of(old: Schema, new: Schema) -> list[Change]:
    """Give every difference, in the order of the new schema."""
    found = _without_echoes(list(_of(old, new, "", (old, new))))
    if not found and old != new and _part(old, "$defs") != _part(new, "$defs"):
        found = [_change("", "DefinitionsChanged", _proven(old, new), "what the schema refers to has changed")]
    return found


def _without_echoes(changes: list[Change]) -> list[Change]:
    """Leave out the column that is gone because its property is."""
    gone = {change.path for change in changes if change.kind == "PropertyRemoved"}
    return [change for change in changes if change.kind != "ColumnRemoved" or change.path not in gone]


def _part(schema: Schema, keyword: str) -> Any:
    return schema.get(keyword) if isinstance(schema, Mapping) else None


def _of(old: Schema, new: Schema, path: str, roots: tuple[Schema, Schema]) -> Iterator[Change]:
    before, after = _node(old, roots[0]), _node(new, roots[1])
    if path.count("/") > _DEEPEST or (before == after and not _refers(before)):
        return
    yield from _types(before, after, path)
    yield from _values(before, after, path)
    yield from _members(before, after, path, roots)
    yield from _keywords(before, after, path, roots)
    if isinstance(before.get("items"), Mapping) and isinstance(after.get("items"), Mapping):
        yield from _of(before["items"], after["items"], f"{path}/*", roots)


def _refers(schema: Schema) -> bool:
    return '"$ref"' in json.dumps(schema)


def _node(schema: Schema, root: Schema) -> Mapping[str, Any]:
    found = resolved(schema, root)
    if isinstance(found, Mapping):
        return found
    return {"not": {}} if found is False else {}


def _change(path: str, kind: str, direction: Direction, explanation: str) -> Change:
    return Change(path=path, kind=kind, direction=direction, explanation=explanation, breaks=_BREAKS[direction])


# --- types and values ----------------------------------------------------------------------------------------------


def _types(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Change]:
    before, after = _kinds(old), _kinds(new)
    if gone := before - after:
        yield _change(path, "TypeRemoved", Direction.TIGHTENS, f"{_named(gone)} is not allowed any more")
    if added := after - before:
        yield _change(path, "TypeAdded", Direction.LOOSENS, f"{_named(added)} is allowed as well")


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    """Give the kinds of values that a schema takes; integers and other numbers apart, because one holds the other."""
    declared = schema.get("type", ())
    types = {declared} if isinstance(declared, str) else set(declared)
    if not types:
        return _KINDS_OF_VALUES
    return frozenset(types - {"number"} | ({"integer", "fraction"} if "number" in types else set()))


def _named(kinds: Iterable[str]) -> str:
    return ", ".join("a number with a fraction" if kind == "fraction" else kind for kind in sorted(kinds))


def _values(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Change]:
    before, after = old.get("enum"), new.get("enum")
    if before is None and isinstance(after, list):
        yield _keyword_change("enum", ABSENT, after, path, Direction.TIGHTENS)
    if after is None and isinstance(before, list):
        yield _keyword_change("enum", before, ABSENT, path, Direction.LOOSENS)
    if not isinstance(before, list) or not isinstance(after, list):
        return
    if gone := [value for value in before if not _among(value, after)]:
        yield _change(path, "EnumValuesRemoved", Direction.TIGHTENS, f"{_shown(gone)} is not allowed any more")
    if added := [value for value in after if not _among(value, before)]:
        yield _change(path, "EnumValuesAdded", Direction.LOOSENS, f"{_shown(added)} is allowed as well")


def _among(value: Any, values: list[Any]) -> bool:
    """Compare as JSON does: true is not 1."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in values)


# --- members and columns -------------------------------------------------------------------------------------------


def _members(
    old: Mapping[str, Any], new: Mapping[str, Any], path: str, roots: tuple[Schema, Schema]
) -> Iterator[Change]:
    before, after = properties_of(old), properties_of(new)
    yield from _required(old, new, path)
    for name in [*after, *(name for name in before if name not in after)]:
        where = f"{path}/{name}"
        if name not in before:
            yield _change(where, "PropertyAdded", Direction.NEITHER, "is new")
        elif name not in after:
            gone = _change(where, "PropertyRemoved", Direction.LOOSENS, "is not in the contract any more")
            yield gone.model_copy(update={"breaks": (Promise.COLUMNS, *gone.breaks)})
        else:
            yield from _column(before[name], after[name], where, roots) if not path else ()
            yield from _of(before[name], after[name], where, roots)


def _required(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Change]:
    before, after = old.get("required") or [], new.get("required") or []
    for name in after:
        if name not in before:
            yield _change(f"{path}/{name}", "RequiredAdded", Direction.TIGHTENS, "has become required")
    for name in before:
        if name not in after:
            yield _change(f"{path}/{name}", "RequiredRemoved", Direction.LOOSENS, "is not required any more")


def _column(old: Schema, new: Schema, path: str, roots: tuple[Schema, Schema]) -> Iterator[Change]:
    """Compare the columns that a property becomes, which for one of the row may be columns within columns."""
    before, after = (_node(schema, root) for schema, root in zip((old, new), roots, strict=True))
    yield from _columns(_field(before, roots[0]), _field(after, roots[1]), path)


def _field(schema: Mapping[str, Any], root: Schema) -> Field:
    """Read a property as a column. References within it are looked up in the whole contract."""
    definitions = {key: _part(root, key) for key in ("$defs", "definitions") if _part(root, key)}
    try:
        return field_of("", written_out({**definitions, **schema}))
    except Unresolvable:
        return field_of("", {})


def _columns(old: Field, new: Field, path: str) -> Iterator[Change]:
    """Compare columns; wider ones hold all that was there, and a struct can be given more members."""
    if old.element and new.element and old.kind is new.kind:
        yield from _columns(old.element, new.element, f"{path}/*")
    elif old.members and new.members:
        before = {each.name: each for each in old.members}
        after = {each.name: each for each in new.members}
        for name, member in before.items():
            where = f"{path}/{name}"
            yield from _columns(member, after[name], where) if name in after else [_column_gone(where)]
    elif old.ddl != new.ddl:
        yield _column_change(old.ddl, new.ddl, path)


def _column_gone(path: str) -> Change:
    change = _change(path, "ColumnRemoved", Direction.NEITHER, "its column would be gone")
    return change.model_copy(update={"breaks": (Promise.COLUMNS,)})


def _column_change(old: str, new: str, path: str) -> Change:
    explanation = f"its column {old} would be {new}"
    if _is_wider(old, new):
        return _change(path, "ColumnWidened", Direction.LOOSENS, explanation)
    change = _change(path, "ColumnTypeChanged", Direction.NEITHER, explanation)
    return change.model_copy(update={"breaks": (Promise.COLUMNS,)})


def _is_wider(old: str, new: str) -> bool:
    """Tell whether a table can change the column's type in place and keep every value."""
    decimal = DECIMAL.fullmatch(new)
    if decimal is None:
        return False
    digits, scale = int(decimal[1]), int(decimal[2])
    if old == "bigint":
        return digits - scale > _LONG_DIGITS
    before = DECIMAL.fullmatch(old)
    if before is None:
        return False
    return digits - scale >= int(before[1]) - int(before[2]) and scale >= int(before[2])


# --- all other keywords --------------------------------------------------------------------------------------------


def _keywords(
    old: Mapping[str, Any], new: Mapping[str, Any], path: str, roots: tuple[Schema, Schema]
) -> Iterator[Change]:
    for keyword in sorted({*old, *new} - WALKED - SILENT):
        before, after = old.get(keyword, ABSENT), new.get(keyword, ABSENT)
        if keyword in MEANINGS and before != after:
            yield _meaning(keyword, before, after, path)
        elif keyword in NOTES or keyword.startswith("x-"):
            yield from _note(keyword, before, after, path)
        elif not _same(before, after) or _refers({keyword: None if before is ABSENT else before}):
            yield from _assertion(keyword, old, new, path, roots)
    if isinstance(old.get("items"), Mapping) != isinstance(new.get("items"), Mapping):
        yield from _assertion("items", old, new, path, roots)


def _same(old: Any, new: Any) -> bool:
    return (
        old is not ABSENT and new is not ABSENT and json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    )


def _meaning(keyword: str, old: Any, new: Any, path: str) -> Change:
    change = _change(path, kind_of(keyword, old, new, Direction.BOTH), Direction.NEITHER, _became(keyword, old, new))
    return change if old is ABSENT else change.model_copy(update={"breaks": (Promise.COLUMNS,)})


def _note(keyword: str, old: Any, new: Any, path: str) -> Iterator[Change]:
    if old != new:
        yield _change(path, kind_of(keyword, old, new, Direction.BOTH), Direction.NEITHER, _became(keyword, old, new))


def _assertion(
    keyword: str, old: Mapping[str, Any], new: Mapping[str, Any], path: str, roots: tuple[Schema, Schema]
) -> Iterator[Change]:
    before, after = old.get(keyword, ABSENT), new.get(keyword, ABSENT)
    same = _same(before, after)
    direction = Direction.UNKNOWN if same else direction_of(keyword, before, after)
    if direction is Direction.UNKNOWN:
        group = next((group for group in GROUPS if keyword in group), (keyword,))
        direction = _proven(_only(group, old, roots[0]), _only(group, new, roots[1]))
    if direction is not Direction.NEITHER or not same:
        yield _keyword_change(keyword, before, after, path, direction)


def _only(keywords: tuple[str, ...], schema: Mapping[str, Any], root: Schema) -> Schema:
    """Give the part of a schema that some keywords are, with the definitions it may refer to."""
    shared = {name: root[name] for name in ("$defs", "definitions") if isinstance(root, Mapping) and name in root}
    return {**shared, **{keyword: schema[keyword] for keyword in keywords if keyword in schema}}


def _proven(old: Schema, new: Schema) -> Direction:
    """Ask the sets: what does the new one allow less, what more."""
    less, more = contained(old, new), contained(new, old)
    if less.proven and more.proven:
        return Direction.NEITHER
    if less.proven or more.proven:
        return Direction.LOOSENS if less.proven else Direction.TIGHTENS
    return Direction.BOTH if less.refutation and more.refutation else Direction.UNKNOWN


def _keyword_change(keyword: str, old: Any, new: Any, path: str, direction: Direction) -> Change:
    return _change(path, kind_of(keyword, old, new, direction), direction, _became(keyword, old, new))


def _became(keyword: str, old: Any, new: Any) -> str:
    if old is ABSENT:
        return f"{keyword} {_shown(new)} is new"
    if new is ABSENT:
        return f"{keyword} {_shown(old)} is gone"
    return f"{keyword} {_shown(old)} became {_shown(new)}"


def _shown(value: Any) -> str:
    values = value if isinstance(value, list) and value and not isinstance(value[0], dict | list) else [value]
    text = ", ".join(json.dumps(one, ensure_ascii=False) for one in values)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
