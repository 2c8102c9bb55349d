"""A contract of ours as a document of the Open Data Contract Standard."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lakehouse_api.columns import SPARK_TYPE, types_of
from lakehouse_operator.core import odcs
from lakehouse_operator.core.contracts import version_of
from lakehouse_operator.core.odcs import OPTIONS, TIMES, Notes, custom

_FORMATS: Final = {form: logical for logical, form in TIMES.items()}
_KEPT: Final = "has no word in ODCS; kept in customProperties, where no other tool looks"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a contract says, wherever it was written."""

    name: str
    schema: Mapping[str, Any]
    owner: str = ""
    compatibility: str | None = None


def to_odcs(contract: Contract) -> tuple[dict[str, Any], Notes]:
    """Give the document, and notes about what other tools will not understand."""
    notes, schema = Notes(), dict(contract.schema)
    described = schema.get("description")
    document: dict[str, Any] = {
        "apiVersion": odcs.API_VERSION,
        "kind": "DataContract",
        "id": schema.get("$id", contract.name),
        "name": contract.name,
        "version": version_of(contract.schema),
        "status": "active",
        **({"description": {"purpose": described}} if described else {}),
        "schema": [_table(contract.name, schema, notes)],
    }
    owner = contract.owner or schema.get("x-owner", "")
    if owner:
        document["team"] = {"name": owner}
    return {**document, **custom([(odcs.COMPATIBILITY, contract.compatibility)])}, notes


def _table(name: str, schema: dict[str, Any], notes: Notes) -> dict[str, Any]:
    handled = {"$schema", "$id", "title", "description", "type", "properties", "required", "x-keys"}
    keys = schema.get("x-keys", [])
    table: dict[str, Any] = {"name": name, "logicalType": "object", "physicalType": "table"}
    if "title" in schema:
        table["businessName"] = schema["title"]
    members = _members(schema, "", notes)
    for member in members:
        if member["name"] in keys:
            member.update(primaryKey=True, primaryKeyPosition=keys.index(member["name"]) + 1)
    return {**table, "properties": members, **_rest(schema, handled, "", notes)}


def _members(schema: Mapping[str, Any], path: str, notes: Notes) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {"name": name, **_property(member, f"{path}/{name}", notes, required=name in required)}
        for name, member in schema.get("properties", {}).items()
    ]


def _property(schema: Any, path: str, notes: Notes, *, required: bool | None) -> dict[str, Any]:
    """Describe a property; `required` is None for items of an array, which cannot be missing."""
    if not isinstance(schema, Mapping):
        notes.add(path, f"a schema that is {str(schema).lower()} {_KEPT}")
        return {**custom([(odcs.REST, schema)]), **({"required": True} if required else {})}
    types = types_of(schema)
    logical = _logical_type(schema, types - {"null"})
    if logical is None:
        return {
            **_words(schema),
            **_rest(schema, _WORDS.keys(), path, notes),
            **({"required": True} if required else {}),
        }
    found = {"logicalType": logical, **_words(schema), **_structure(schema, logical, path, notes)}
    handled = {"type", *_WORDS, *_handled(schema, logical)}
    presence = _presence(required=required, nullable="null" in types)
    if presence is not None:
        notes.add(path, "whether it may be missing, or null, is one thing in ODCS; kept in customProperties")
    found.update(_enum(schema, nullable="null" in types))
    handled |= {"enum", "const"} if "quality" in found else set()
    if required and "null" not in types:
        found["required"] = True
    return {
        **found,
        **_rest(schema, handled, path, notes, (odcs.PRESENCE, presence), (odcs.UNIT, schema.get("x-unit"))),
    }


_WORDS: Final = {
    "description": "description",
    "title": "businessName",
    "examples": "examples",
    "x-pii": "classification",
    SPARK_TYPE: "physicalType",
    "x-unit": None,
}


def _words(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give what has a word of its own on both sides."""
    return {word: schema[keyword] for keyword, word in _WORDS.items() if word and keyword in schema}


def _logical_type(schema: Mapping[str, Any], types: frozenset[str]) -> str | None:
    if len(types) != 1:
        return None
    [only] = types
    return _FORMATS.get(str(schema.get("format")), only) if only == "string" else only


def _handled(schema: Mapping[str, Any], logical: str) -> set[str]:
    handled = {*OPTIONS.get(logical, ())}
    if logical in TIMES:
        handled.add("format")
    if logical == "object":
        handled |= {"properties", "required"}
    if logical == "array" and isinstance(schema.get("items"), Mapping):
        handled.add("items")
    return handled


def _structure(schema: Mapping[str, Any], logical: str, path: str, notes: Notes) -> dict[str, Any]:
    options = {name: schema[name] for name in OPTIONS.get(logical, ()) if name in schema}
    found: dict[str, Any] = {"logicalTypeOptions": options} if options else {}
    if logical == "object" and schema.get("properties"):
        found["properties"] = _members(schema, path, notes)
    if logical == "array" and isinstance(schema.get("items"), Mapping):
        found["items"] = _property(schema["items"], f"{path}/*", notes, required=None)
    return found


def _presence(*, required: bool | None, nullable: bool) -> str | None:
    if required is None:
        return odcs.NULLABLE_BUT_THERE if nullable else None
    if required and nullable:
        return odcs.NULLABLE_BUT_THERE
    return odcs.MISSING_BUT_NOT_NULL if not required and not nullable else None


def _enum(schema: Mapping[str, Any], *, nullable: bool) -> dict[str, Any]:
    """Describe the allowed values; null is told by `required`."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values is None or ("const" in schema and "enum" in schema) or nullable != (None in values):
        return {}
    told = [value for value in values if value is not None]
    rule = {"type": "library", "metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": told}}
    return {"quality": [rule]} if told else {}


def _rest(schema: Mapping[str, Any], handled: Any, path: str, notes: Notes, *more: tuple[str, Any]) -> dict[str, Any]:
    rest = {keyword: value for keyword, value in schema.items() if keyword not in handled}
    for keyword in sorted(rest.keys() - {"x-owner"}):  # told by the team
        notes.add(path, f"`{keyword}` {_KEPT}")
    return custom([(odcs.REST, rest or None), *more])
