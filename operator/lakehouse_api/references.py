"""References within a contract, written out: what a part refers to stands in its place.

Only what reads the contract as columns needs this. The validator follows references by itself, in the contract as it
was given.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from jsonschema_specifications import REGISTRY
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

ANNOTATIONS: Final = frozenset(
    {
        *("$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
        *("contentMediaType", "contentEncoding", "contentSchema", "$defs", "definitions", "$anchor"),
    }
)
"""Keywords that demand nothing of a value."""

IN_PLACE: Final = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
"""Keywords whose schemas judge the same value as the schema they stand in."""

_MOST_PARTS: Final = 5000
_ONE: Final = ("not", "if", "then", "else", "items", "contains", "propertyNames", "additionalProperties")
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED: Final = ("properties", "dependentSchemas")
_SCOPES: Final = frozenset({"$id", "$dynamicRef"})


def registry() -> Registry[Any]:
    """Give the schemas that a contract may refer to beside itself: the specification's own, never the network's."""
    known: Registry[Any] = REGISTRY
    return known


def demands_nothing(keyword: str) -> bool:
    """Tell whether a keyword is an annotation or one of ours."""
    return keyword in ANNOTATIONS or keyword.startswith("x-")


def written_out(schema: dict[str, Any]) -> dict[str, Any]:
    """Give the schema without its references, but for those that lead back to themselves.

    A reference that cannot be written out with the same meaning stays, and nobody but the validator can judge it.
    """
    resolver = registry().resolver_with_root(DRAFT202012.create_resource(schema))
    return _Writing().parts(schema, resolver, frozenset({id(schema)}))


def has_references(schema: Any) -> bool:
    """Tell whether a reference was left in it."""
    return '"$ref"' in (text := json.dumps(schema)) or '"$dynamicRef"' in text


class _Writing:
    """Counts what is written: references to references can grow without end."""

    def __init__(self) -> None:
        self._written = 0

    def parts(self, schema: dict[str, Any], resolver: Any, trail: frozenset[int]) -> dict[str, Any]:
        """Write out what the schema holds, not what it refers to."""
        write = partial(self._out, resolver=resolver, trail=trail)
        return {keyword: _each(keyword, value, write) for keyword, value in schema.items()}

    def _out(self, schema: Any, resolver: Any, trail: frozenset[int]) -> Any:
        self._written += 1
        if not isinstance(schema, dict) or _SCOPES & set(schema) or self._written > _MOST_PARTS:
            return schema
        if "$ref" not in schema:
            return self.parts(schema, resolver, trail)
        found = _found(resolver, schema["$ref"])
        if found is None or id(found.contents) in trail:
            return schema
        target = self._out(found.contents, found.resolver, trail | {id(found.contents)})
        rest = self.parts({key: value for key, value in schema.items() if key != "$ref"}, resolver, trail)
        return _joined(target, rest)


def _found(resolver: Any, reference: str) -> Any:
    try:
        return resolver.lookup(reference)
    except Unresolvable:
        return None


def _each(keyword: str, value: Any, write: Callable[[Any], Any]) -> Any:
    if keyword in _ONE:
        return write(value)
    if keyword in _LISTS and isinstance(value, list):
        return [write(each) for each in value]
    if keyword in _NAMED and isinstance(value, Mapping):
        return {name: write(each) for name, each in value.items()}
    return value


def _joined(target: Any, rest: dict[str, Any]) -> dict[str, Any]:
    """Put a referred schema in the place of the reference; beside demands of its own it becomes one of `allOf`."""
    if all(demands_nothing(key) for key in rest) and isinstance(target, dict):
        return {**target, **rest}
    return {**rest, "allOf": [*rest.get("allOf", []), target]}
