"""A document of the Open Data Contract Standard as a DataContract of ours."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lakehouse_api.columns import DECIMAL, SPARK_TYPE
from lakehouse_api.data_contract import Compatibility
from lakehouse_api.kinds import API_VERSION, DATA_CONTRACT
from lakehouse_operator.core import odcs
from lakehouse_operator.core.odcs import OPTIONS, TIMES, Notes

_PIPELINES: Final = "belongs to the pipelines here: write it as an expectation of spec.contract"
_NO_PLACE: Final = "has no place in a DataContract"
_TOP: Final = frozenset({"apiVersion", "kind", "id", "name", "version", "status", "description", "schema", "team"})
_TABLE: Final = frozenset({"name", "logicalType", "physicalType", "businessName", "description", "properties", "id"})
_PROPERTY: Final = frozenset(
    {"id", "name", "logicalType", "logicalTypeOptions", "required", "properties", "items", "quality"}
    | {"description", "businessName", "examples", "classification", "physicalType", "primaryKey", "primaryKeyPosition"}
    | {"deprecated", "customProperties"}
)
_WORDS: Final = {"description": "description", "businessName": "title", "examples": "examples"}
_DECIMALS: Final = re.compile(r"(?:decimal|numeric|number)\s*\(\s*([0-9]+)\s*,\s*([0-9]+)\s*\)", re.IGNORECASE)


class ImportRefusedError(ValueError):
    """The document holds no contract that could be taken over."""


def from_odcs(document: Mapping[str, Any], wanted: str | None = None) -> tuple[dict[str, Any], Notes]:
    """Give the manifest of a DataContract, and notes about what of the document it does not hold.

    Raises:
        ImportRefusedError: the table cannot be told, or has no properties.
    """
    notes = Notes()
    table = _table(document, wanted)
    for key in sorted(set(document) - _TOP - {"customProperties"}):
        notes.add("", f"`{key}` {_PIPELINES if key == 'slaProperties' else _NO_PLACE}")
    for key in sorted(set(document.get("description") or {}) - {"purpose"}):
        notes.add("", f"`description.{key}` {_NO_PLACE}")
    owner = _owner(document, notes)
    schema = {**_identity(document, table), **_row(table, notes)}
    compatibility = _compatibility(document, notes)
    spec = {"owner": owner, **({"compatibility": compatibility} if compatibility else {}), "schema": schema}
    manifest = {
        "apiVersion": API_VERSION,
        "kind": DATA_CONTRACT.kind,
        "metadata": {"name": _dns(str(table["name"]))},
        "spec": spec,
    }
    return manifest, notes


def _table(document: Mapping[str, Any], wanted: str | None) -> Mapping[str, Any]:
    tables = {str(table["name"]): table for table in document.get("schema") or ()}
    if wanted is None and len(tables) == 1:
        wanted = next(iter(tables))
    if wanted not in tables:
        named = ", ".join(tables) or "none"
        raise ImportRefusedError(
            f"one table of the document makes one DataContract; choose it by name, there is: {named}"
        )
    if not tables[wanted].get("properties"):
        raise ImportRefusedError(f"table {wanted!r} has no properties, and so says nothing about a row")
    found: Mapping[str, Any] = tables[wanted]
    return found


def _identity(document: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    described = (document.get("description") or {}).get("purpose") or table.get("description")
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": document.get("id") if "://" in str(document.get("id")) else None,
        "title": table.get("businessName"),
        "description": described,
    }
    return {keyword: value for keyword, value in found.items() if value is not None}


def _owner(document: Mapping[str, Any], notes: Notes) -> str:
    """Take the team's name, or, where the team is a list of people, the one who is called the owner."""
    team = document.get("team") or {}
    if isinstance(team, Mapping):
        for key in sorted(set(team) - {"name"}):
            notes.add("", f"`team.{key}` {_NO_PLACE}")
        return str(team.get("name") or "")
    owners = [person["username"] for person in team if "owner" in str(person.get("role", "")).lower()]
    if len(team) > len(owners[:1]):
        notes.add("", f"the other members of `team` {_NO_PLACE.replace('has', 'have')}")
    return str(owners[0]) if owners else ""


def _compatibility(document: Mapping[str, Any], notes: Notes) -> str | None:
    values = _custom(document)
    found = values.pop(odcs.COMPATIBILITY, None)
    for name in values:
        notes.add("", f"`customProperties.{name}` {_NO_PLACE}")
    return str(found) if found in set(Compatibility) else None


def _dns(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:253] or "contract"


def _custom(element: Mapping[str, Any]) -> dict[str, Any]:
    return {str(one["property"]): one["value"] for one in element.get("customProperties") or ()}


# --- rows and their members ----------------------------------------------------------------------------------------


def _row(table: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    for key in sorted(set(table) - _TABLE - {"customProperties"}):
        notes.add("", f"`schema.{key}` {_PIPELINES if key == 'quality' else _NO_PLACE}")
    keys = [one for one in table["properties"] if one.get("primaryKey")]
    keys.sort(key=lambda one: one.get("primaryKeyPosition", len(keys)))
    named = [str(one["name"]) for one in keys]
    rest = _custom(table)
    found = {**({"x-keys": named} if named else {}), "type": "object", **_members(table, "", notes)}
    return {**found, **rest.get(odcs.REST, {})}


def _members(element: Mapping[str, Any], path: str, notes: Notes) -> dict[str, Any]:
    members = element.get("properties") or ()
    required = [str(one["name"]) for one in members if _is_required(one)]
    found = {str(one["name"]): _property(one, f"{path}/{one['name']}", notes) for one in members}
    return {**({"required": required} if required else {}), "properties": found}


def _is_required(element: Mapping[str, Any]) -> bool:
    there = _custom(element).get(odcs.PRESENCE) == odcs.NULLABLE_BUT_THERE
    return bool(element.get("required") or element.get("primaryKey") or there)


def _property(element: Mapping[str, Any], path: str, notes: Notes, *, item: bool = False) -> Any:
    custom = _custom(element)
    rest = custom.pop(odcs.REST, {})
    if isinstance(rest, bool):
        return rest
    found = {**_type(element, path, notes), **_words(element, path, notes), **rest}
    if "logicalType" in element and _is_nullable(element, custom.pop(odcs.PRESENCE, None), item=item):
        found["type"] = [found["type"], "null"]
    if odcs.UNIT in custom:
        found["x-unit"] = custom.pop(odcs.UNIT)
    _allow(found, element, path, notes)
    _tell(element, custom, path, notes)
    return found


def _is_nullable(element: Mapping[str, Any], presence: Any, *, item: bool) -> bool:
    if presence is not None:
        return bool(presence == odcs.NULLABLE_BUT_THERE)
    return not (item or element.get("required") or element.get("primaryKey"))


def _type(element: Mapping[str, Any], path: str, notes: Notes) -> dict[str, Any]:
    logical = element.get("logicalType")
    options = dict(element.get("logicalTypeOptions") or {})
    found: dict[str, Any] = {name: options.pop(name) for name in OPTIONS.get(str(logical), ()) if name in options}
    found = {**_shape(element, logical, path, notes), **found}
    if logical == "timestamp" and options.pop("timezone", True) is False:
        found[SPARK_TYPE] = "timestamp_ntz"
    for name in sorted(options):
        notes.add(path, f"`logicalTypeOptions.{name}` has no counterpart in JSON Schema")
    return found


def _shape(element: Mapping[str, Any], logical: Any, path: str, notes: Notes) -> dict[str, Any]:
    if logical in TIMES:
        return {"type": "string", "format": TIMES[logical]}
    if logical == "object" and element.get("properties"):
        return {"type": "object", **_members(element, path, notes)}
    if logical == "array" and element.get("items"):
        return {"type": "array", "items": _property(element["items"], f"{path}/*", notes, item=True)}
    if logical is None and odcs.REST not in _custom(element):
        notes.add(path, "there is no `logicalType`; any value is allowed")
    return {} if logical is None else {"type": logical}


def _words(element: Mapping[str, Any], path: str, notes: Notes) -> dict[str, Any]:
    found = {keyword: element[word] for word, keyword in _WORDS.items() if word in element}
    if element.get("deprecated"):
        found["deprecated"] = True
    if (classification := element.get("classification")) in odcs.PII_CLASSES:
        found["x-pii"] = classification
    elif classification is not None:
        notes.add(path, f"`classification` {classification} is none of our classes ({', '.join(odcs.PII_CLASSES)})")
    physical = str(element.get("physicalType", ""))
    if (decimal := _DECIMALS.fullmatch(physical)) and element.get("logicalType") in {"number", "integer"}:
        found[SPARK_TYPE] = f"decimal({decimal[1]},{decimal[2]})"
    elif physical == "timestamp_ntz":
        found[SPARK_TYPE] = physical
    elif physical and not DECIMAL.fullmatch(physical):
        notes.add(path, "`physicalType` is not used: the column follows from the logical type")
    return found


def _allow(found: dict[str, Any], element: Mapping[str, Any], path: str, notes: Notes) -> None:
    """Take over the allowed values; a member that may be null may be so beside them."""
    values: list[Any] = []
    for rule in element.get("quality") or ():
        arguments = rule.get("arguments") or {}
        if rule.get("metric") == "invalidValues" and rule.get("mustBe") == 0 and {*arguments} == {"validValues"}:
            values += arguments["validValues"]
        else:
            notes.add(path, f"`quality` {_rule_name(rule)} {_PIPELINES}")
    if values:
        nullable = isinstance(found.get("type"), list)
        found["enum"] = [*values, *([None] if nullable else [])]


def _rule_name(rule: Mapping[str, Any]) -> str:
    return str(rule.get("name") or rule.get("metric") or rule.get("rule") or rule.get("type") or "rule")


def _tell(element: Mapping[str, Any], custom: Mapping[str, Any], path: str, notes: Notes) -> None:
    for sentence in _untold(element, custom):
        notes.add(path, sentence)


def _untold(element: Mapping[str, Any], custom: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(set(element) - _PROPERTY):
        if element[key] not in (False, None, -1):
            yield f"`{key}` {_PIPELINES if key == 'unique' else _NO_PLACE}"
    yield from (f"`customProperties.{name}` {_NO_PLACE}" for name in custom if name != odcs.PRESENCE)
    if element.get("primaryKey") and not element.get("required"):
        yield "a key must be there in every row, so it has become required"
