"""What becomes of a property of a contract in the table: its column, and the columns within it.

References in the definitions read here are to be written out before, see `references`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lakehouse_api.references import IN_PLACE

SPARK_TYPE: Final = "x-spark-type"
LOCAL_TIME: Final = "timestamp_ntz"
DECIMAL: Final = re.compile(r"decimal\(([0-9]{1,2}),\s*([0-9]{1,2})\)")
NOT_IN_COLUMNS: Final = frozenset(" ,;{}()\n\t=")
_NULL: Final = "null"


class ColumnKind(StrEnum):
    """How a property's values are kept in the table."""

    STRING = "string"
    TIMESTAMP = "timestamp"
    LOCAL = LOCAL_TIME
    DATE = "date"
    BIGINT = "bigint"
    DOUBLE = "double"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    STRUCT = "struct"
    ARRAY = "array"
    MAP = "map"
    JSON = "json"


_KIND_BY_FORMAT: Final = {"date-time": ColumnKind.TIMESTAMP, "date": ColumnKind.DATE}
_KIND_BY_TYPES: Final = {
    frozenset({"string"}): ColumnKind.STRING,
    frozenset({"integer"}): ColumnKind.BIGINT,
    frozenset({"number"}): ColumnKind.DOUBLE,
    frozenset({"integer", "number"}): ColumnKind.DOUBLE,
    frozenset({"boolean"}): ColumnKind.BOOLEAN,
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A property of the contract and the column it becomes, or such a part of one.

    `types` are the JSON types it names, none meaning any; `ddl` is the column's type in SQL. A struct has `members`;
    an array and a map have the `element` that all their values are.
    """

    name: str
    schema: dict[str, Any]
    types: frozenset[str]
    kind: ColumnKind
    ddl: str
    members: tuple["Field", ...] = ()
    element: "Field | None" = None

    @property
    def scale(self) -> tuple[int, int]:
        """Give precision and scale of a decimal column."""
        found = DECIMAL.fullmatch(self.ddl)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def nested(self) -> bool:
        """Tell whether there are columns within the column."""
        return self.kind in {ColumnKind.STRUCT, ColumnKind.ARRAY, ColumnKind.MAP}

    def inner(self) -> Iterator["Field"]:
        """Give the field and all within it."""
        yield self
        for each in (*self.members, *([self.element] if self.element else [])):
            yield from each.inner()


def field_of(name: str, definition: Any) -> Field:
    """Read a property's definition, in which references are written out."""
    schema = definition if isinstance(definition, dict) else ({} if definition else {"not": {}})
    telling, types = _telling(schema)
    kind = _kind(schema, telling, types - {_NULL})
    members = _members(telling) if kind is ColumnKind.STRUCT else ()
    element = _element(kind, telling)
    ddl = _ddl(kind, telling, members, element)
    return Field(name=name, schema=schema, types=types, kind=kind, ddl=ddl, members=members, element=element)


def types_of(schema: Any) -> frozenset[str]:
    """Give the JSON types that a schema's own `type` names."""
    declared = schema.get("type", []) if isinstance(schema, Mapping) else []
    return frozenset([declared] if isinstance(declared, str) else declared)


def can_be_columns(names: Iterator[str] | Mapping[str, Any]) -> bool:
    """Tell whether a table can have columns of these names beside one another."""
    every = list(names)
    return len({name.lower() for name in every}) == len(every) and all(map(can_be_column, every))


def can_be_column(name: str) -> bool:
    """Tell whether a table can have a column of that name."""
    return bool(name) and not NOT_IN_COLUMNS & set(name) and name.isprintable()


def _telling(schema: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Find the part that tells of what type a value is: the schema itself, or one of those that all values satisfy."""
    if "type" in schema:
        return schema, types_of(schema)
    for keyword in ("anyOf", "oneOf"):
        parts = schema.get(keyword, [])
        others = [part for part in parts if types_of(part) != {_NULL}]
        if len(others) == 1 and len(parts) == 2 and isinstance(others[0], dict):  # noqa: PLR2004 (something or null)
            telling, types = _telling(others[0])
            return (telling, types | {_NULL}) if types else (schema, types)
    every = [_telling(part) for part in schema.get("allOf", []) if isinstance(part, dict)]
    typed = [(telling, types) for telling, types in every if types]
    return typed[0] if len(typed) == 1 else (schema, frozenset())


def _kind(schema: dict[str, Any], telling: dict[str, Any], types: frozenset[str]) -> ColumnKind:
    if SPARK_TYPE in telling:
        return ColumnKind.LOCAL if telling[SPARK_TYPE] == LOCAL_TIME else ColumnKind.DECIMAL
    if types == {"object"}:
        return _object_kind(schema, telling)
    if types == {"array"}:
        items = telling.get("items")
        return (
            ColumnKind.ARRAY if isinstance(items, dict) and items and "prefixItems" not in telling else ColumnKind.JSON
        )
    form = telling.get("format", "") if types == {"string"} else ""
    return _KIND_BY_FORMAT.get(form) or _KIND_BY_TYPES.get(types, ColumnKind.JSON)


def _object_kind(schema: dict[str, Any], telling: dict[str, Any]) -> ColumnKind:
    """An object is a struct if its members are all named in one place, a map if they are all alike and unnamed."""
    properties, rest = telling.get("properties", {}), telling.get("additionalProperties", True)
    if "patternProperties" in telling or isinstance(telling.get("unevaluatedProperties"), dict):
        return ColumnKind.JSON
    if not properties:
        return ColumnKind.MAP if isinstance(rest, dict) and rest else ColumnKind.JSON
    named = set(_names(schema)) <= set(properties)
    return ColumnKind.STRUCT if named and isinstance(rest, bool) and can_be_columns(properties) else ColumnKind.JSON


def _names(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", {})
    for keyword in IN_PLACE:
        within = schema.get(keyword, [])
        parts = within if isinstance(within, list) else [within]
        parts = list(within.values()) if keyword == "dependentSchemas" and within else parts
        for part in parts:
            yield from _names(part)


def _members(telling: dict[str, Any]) -> tuple[Field, ...]:
    return tuple(field_of(name, each) for name, each in telling["properties"].items())


def _element(kind: ColumnKind, telling: dict[str, Any]) -> Field | None:
    if kind is ColumnKind.ARRAY:
        return field_of("element", telling["items"])
    return field_of("value", telling["additionalProperties"]) if kind is ColumnKind.MAP else None


def _ddl(kind: ColumnKind, telling: dict[str, Any], members: tuple[Field, ...], element: Field | None) -> str:
    if kind is ColumnKind.DECIMAL:
        return str(telling[SPARK_TYPE]).replace(" ", "")
    if kind is ColumnKind.STRUCT:
        return f"struct<{','.join(f'{quoted(each.name)}:{each.ddl}' for each in members)}>"
    if element:
        return f"array<{element.ddl}>" if kind is ColumnKind.ARRAY else f"map<string,{element.ddl}>"
    return "string" if kind is ColumnKind.JSON else kind.value


def quoted(name: str) -> str:
    """Write a name as SQL takes any."""
    return f"`{name.replace('`', '``')}`"
