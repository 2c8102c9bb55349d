"""What is wrong with a contract that nobody could enforce, or that says something which would be passed over."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, SchemaError
from referencing import Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from lakehouse_api.columns import DECIMAL, LOCAL_TIME, SPARK_TYPE, can_be_column, types_of
from lakehouse_api.references import registry

RESERVED: Final = "_ingest_"
FORMATS: Final = Draft202012Validator.FORMAT_CHECKER.checkers
PII_CLASSES: Final = ("none", "low", "high")
_OWNER: Final = "x-owner"
_KEYS: Final = "x-keys"
_PII: Final = "x-pii"
_UNIT: Final = "x-unit"
_DECIMAL_DIGITS: Final = 38


def problems_of(schema: dict[str, Any]) -> list[str]:
    """Name everything that keeps a contract from being enforced; nothing if it can be."""
    return [*_invalid(schema)] or [*_unusable_columns(schema), *_unusable_parts(schema), *_wrong_of_the_row(schema)]


def _invalid(schema: dict[str, Any]) -> Iterator[str]:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield f"not a valid JSON Schema 2020-12 at {error.json_path}: {error.message}"


def _unusable_columns(schema: dict[str, Any]) -> Iterator[str]:
    properties = schema.get("properties", {})
    if not properties:
        yield "it names no properties, so the table would have no columns; list them under `properties`"
    for name, count in Counter(name.lower() for name in properties).items():
        if count > 1:
            yield f"{count} properties differ from {name!r} only by case, which columns cannot"
    for name in properties:
        if name.lower().startswith(RESERVED):
            yield f"property {name!r}: names that begin with {RESERVED} are the ingest's own"
        if not can_be_column(name):
            yield f"property {name!r} cannot be a column: only printable characters, no blanks, none of , ; {{ }} ( ) ="


def _unusable_parts(schema: dict[str, Any]) -> Iterator[str]:
    """Find what the validator would pass over or stumble on at a row: formats without a checker, loose references."""
    root = DRAFT202012.create_resource(schema)
    for part, scope in _parts(root, registry().resolver_with_root(root)):
        yield from _wrong_extensions(part)
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


def _wrong_of_the_row(schema: Mapping[str, Any]) -> Iterator[str]:
    owner, keys = schema.get(_OWNER, "-"), schema.get(_KEYS, [])
    if not isinstance(owner, str) or not owner.strip():
        yield f"{_OWNER} must be the name of a team or person, not {owner!r}"
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys) or len({*keys}) < len(keys):
        yield f"{_KEYS} must be a list of different names of properties, not {keys!r}"
        return
    for key in keys:
        if key not in schema.get("properties", {}):
            yield f"{_KEYS} names {key!r}, which is no property"
        elif key not in schema.get("required", []):
            yield f"{_KEYS} names {key!r}, which is not required; a key must be there in every row"


def _wrong_extensions(part: dict[str, Any]) -> Iterator[str]:
    if _PII in part and part[_PII] not in PII_CLASSES:
        yield f"{_PII} must be one of {', '.join(PII_CLASSES)}, not {part[_PII]!r}"
    if _UNIT in part and (not isinstance(part[_UNIT], str) or not part[_UNIT].strip()):
        yield f"{_UNIT} must be a text such as EUR or ms, not {part[_UNIT]!r}"
    if SPARK_TYPE in part and not _is_spark_type(part[SPARK_TYPE], types_of(part) - {"null"}):
        yield (
            f"{SPARK_TYPE} {part[SPARK_TYPE]!r} must be decimal(p,s), p up to 38, beside type number or integer, or "
            f"{LOCAL_TIME} beside type string"
        )


def _is_spark_type(declared: Any, types: frozenset[str]) -> bool:
    if declared == LOCAL_TIME:
        return types == {"string"}
    found = DECIMAL.fullmatch(str(declared))
    if not found or not types or types - {"number", "integer"}:
        return False
    return 1 <= int(found[1]) <= _DECIMAL_DIGITS and int(found[2]) <= int(found[1])
