"""A contract as the engine sees it: the columns that its properties become, and what is wrong with it."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from jsonschema import Draft202012Validator, SchemaError
from jsonschema_specifications import REGISTRY
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from lakehouse_api.columns import DECIMAL, SPARK_TYPE, ColumnKind, column_kind, column_type, types_of
from lakehouse_api.run import ContractSnapshot

RESERVED: Final = "_ingest_"
FORMATS: Final = Draft202012Validator.FORMAT_CHECKER.checkers
_NOT_IN_COLUMNS: Final = frozenset(" ,;{}()\n\t=")
_DECIMAL_DIGITS: Final = 38


class ContractError(ValueError):
    """The contract cannot be enforced; the text names every problem found."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A property of the contract and the column it becomes.

    `types` are the JSON types it names, none meaning any; `ddl` is the column's type in SQL.
    """

    name: str
    schema: dict[str, Any]
    types: frozenset[str]
    kind: ColumnKind
    ddl: str
    required: bool

    @property
    def scale(self) -> tuple[int, int]:
        """Give precision and scale of a decimal column."""
        found = DECIMAL.fullmatch(self.ddl)
        return (int(found[1]), int(found[2])) if found else (0, 0)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A contract that can be enforced."""

    name: str
    version: str
    schema: dict[str, Any]
    fields: tuple[Field, ...]

    @property
    def document(self) -> str:
        """Give the schema as JSON, in which form it travels to the workers."""
        return json.dumps(self.schema)

    @property
    def names(self) -> frozenset[str]:
        """Give the names of the properties."""
        return frozenset(field.name for field in self.fields)


def read_contract(snapshot: ContractSnapshot) -> Contract:
    """Turn a run's contract into columns, or raise ContractError that names all its problems."""
    problems = [*_invalid(snapshot.schema_)] or [*_unusable(snapshot.schema_)]
    if problems:
        raise ContractError(f"contract {snapshot.name} {snapshot.version}: {'; '.join(problems)}")
    return Contract(
        name=snapshot.name,
        version=snapshot.version,
        schema=snapshot.schema_,
        fields=tuple(_field(name, snapshot.schema_) for name in snapshot.schema_["properties"]),
    )


def registry() -> Registry[Any]:
    """Give the schemas that a contract may refer to beside itself: the specification's own, never the network's."""
    known: Registry[Any] = REGISTRY
    return known


def _invalid(schema: dict[str, Any]) -> Iterator[str]:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield f"not a valid JSON Schema 2020-12 at {error.json_path}: {error.message}"


def _unusable(schema: dict[str, Any]) -> Iterator[str]:
    properties = schema.get("properties", {})
    if not properties:
        yield "it names no properties, so the table would have no columns; list them under `properties`"
    for name, count in Counter(name.lower() for name in properties).items():
        if count > 1:
            yield f"{count} properties differ from {name!r} only by case, which columns cannot"
    for name, definition in properties.items():
        yield from _unusable_column(name, definition)
    yield from _unusable_parts(schema)


def _unusable_column(name: str, schema: Any) -> Iterator[str]:
    if name.lower().startswith(RESERVED):
        yield f"property {name!r}: names that begin with {RESERVED} are the ingest's own"
    if not name or _NOT_IN_COLUMNS & set(name):
        yield f"property {name!r} cannot be a column: no blanks and none of , ; {{ }} ( ) ="
    declared = schema.get(SPARK_TYPE) if isinstance(schema, dict) else None
    if declared is not None and not _is_decimal(declared, types_of(schema)):
        yield f"property {name!r}: {SPARK_TYPE} {declared!r} must be decimal(p,s), p up to 38, on a number or integer"


def _is_decimal(declared: Any, types: frozenset[str]) -> bool:
    found = DECIMAL.fullmatch(str(declared))
    if not found or not types or types - {"number", "integer", "null"}:
        return False
    return 1 <= int(found[1]) <= _DECIMAL_DIGITS and int(found[2]) <= int(found[1])


def _unusable_parts(schema: dict[str, Any]) -> Iterator[str]:
    """Find what the validator would pass over or stumble on at a row: formats without a checker, loose references."""
    root = DRAFT202012.create_resource(schema)
    resolver = registry().resolver_with_root(root)
    for part, scope in _parts(root, resolver):
        if isinstance(part.get("format"), str) and part["format"] not in FORMATS:
            yield f"format {part['format']!r} cannot be checked; use one of {', '.join(sorted(FORMATS))}, or `pattern`"
        for keyword in ("$ref", "$dynamicRef"):
            reference = part.get(keyword)
            if isinstance(reference, str) and not _resolves(scope, reference):
                yield f"{keyword} {reference!r} points to nothing in the contract; nothing is fetched from elsewhere"


def _parts(resource: Resource[Any], resolver: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    if isinstance(resource.contents, dict):
        yield resource.contents, resolver
    for part in resource.subresources():
        yield from _parts(part, resolver.in_subresource(part))


def _resolves(resolver: Any, reference: str) -> bool:
    try:
        resolver.lookup(reference)
    except Unresolvable:
        return False
    return True


def _field(name: str, contract: dict[str, Any]) -> Field:
    schema = contract["properties"][name]
    definition = schema if isinstance(schema, dict) else ({} if schema else {"not": {}})
    return Field(
        name=name,
        schema=definition,
        types=types_of(definition),
        kind=column_kind(definition),
        ddl=column_type(definition),
        required=name in contract.get("required", []),
    )
