"""Members of schemas: which ones a schema speaks of, and the old schema seen with the members that only the new has.

A member that only the new schema names is new: no row was promised to have it, or not to have it. So two versions are
compared over what both of them speak of, in both directions, and adding a column is no breach of a contract.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lakehouse_api.references import IN_PLACE

Schema = Any
"""A JSON Schema: an object, or true or false."""

_DEEPEST: Final = 16


def resolved(schema: Schema, root: Schema, depth: int = 0) -> Schema:
    """Put what a local reference points to in its place; what points elsewhere, or in circles, stays."""
    if depth > _DEEPEST or not isinstance(schema, Mapping) or "$ref" not in schema:
        return schema
    target = _pointed(root, schema["$ref"])
    if not isinstance(target, Mapping) or "$id" in target or set(target) & set(schema) - {"$ref"}:
        return schema
    rest = {keyword: value for keyword, value in schema.items() if keyword != "$ref"}
    return resolved({**rest, **target}, root, depth + 1)


def _pointed(root: Schema, reference: Any) -> Schema:
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    found = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def properties_of(schema: Schema) -> Mapping[str, Schema]:
    """Give the members that a schema names itself."""
    found = schema.get("properties") if isinstance(schema, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def seen_with(old: Schema, new: Schema, *, member: bool) -> Schema:
    """Give the old schema with each member that only the new one names: absent (`false`), or anything (`true`)."""
    return _seen_with(old, new, (old, new), member=member, depth=0)


def _seen_with(old: Schema, new: Schema, roots: tuple[Schema, Schema], *, member: bool, depth: int) -> Schema:
    old, new = resolved(old, roots[0]), resolved(new, roots[1])
    if depth > _DEEPEST or not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return old
    known = set(_names(old, roots[0]))
    added = {name: member for name in properties_of(new) if name not in known and not _by_pattern(name, old)}
    inner: dict[str, Schema] = {}
    if not any(keyword in old for keyword in (*IN_PLACE, "$ref")):  # these may speak of the same inner members
        inner = {
            name: _seen_with(schema, properties_of(new)[name], roots, member=member, depth=depth + 1)
            for name, schema in properties_of(old).items()
            if name in properties_of(new)
        }
    changed = {**properties_of(old), **inner, **added}
    items = _items(old, new, roots, member=member, depth=depth)
    return {**old, **({"properties": changed} if changed else {}), **items}


def _items(
    old: Mapping[str, Any], new: Mapping[str, Any], roots: tuple[Schema, Schema], *, member: bool, depth: int
) -> dict[str, Schema]:
    if "items" not in old or "items" not in new or any(keyword in old for keyword in (*IN_PLACE, "$ref")):
        return {}
    return {"items": _seen_with(old["items"], new["items"], roots, member=member, depth=depth + 1)}


def _names(schema: Schema, root: Schema, depth: int = 0) -> Iterator[str]:
    """Find every name that the schema speaks of, those in schemas of the same instance included."""
    if depth > _DEEPEST or not isinstance(schema, Mapping):
        return
    yield from properties_of(schema)
    for keyword in ("required", "dependentRequired"):
        yield from (name for name in schema.get(keyword) or () if isinstance(name, str))
    for part in parts_in_place(schema):
        yield from _names(part, root, depth + 1)
    if "$ref" in schema:
        yield from _names(_pointed(root, schema["$ref"]), root, depth + 1)


def parts_in_place(schema: Mapping[str, Any]) -> Iterator[Schema]:
    """Give the schemas inside that speak of the same instance."""
    for keyword in IN_PLACE:
        found = schema.get(keyword)
        if isinstance(found, list):
            yield from found
        elif keyword == "dependentSchemas" and isinstance(found, Mapping):
            yield from found.values()
        elif found is not None:
            yield found


def _by_pattern(name: str, schema: Mapping[str, Any]) -> bool:
    return any(re.search(pattern, name) for pattern in schema.get("patternProperties") or {})
