"""The native verdict: expressions over columns that accept a row only if the validator would.

Soundness is the only duty here. A keyword without an expression, a value out of the range in which Spark and Python
surely agree, an ambiguity of the format: each merely leaves the row to the exact check.

Keywords here are those whose schemas judge other values, or the same value anew; `keywords` has the rest.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from itertools import combinations
from typing import Any, Final

from jsonschema import Draft202012Validator
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import ColumnKind, Field
from lakehouse_api.references import demands_nothing, has_references
from lakehouse_jobs.contract.cell import Cell, Write, json_type
from lakehouse_jobs.contract.conditions import Condition, all_of, any_of, as_column, exactly
from lakehouse_jobs.contract.keywords import SINGLE
from lakehouse_jobs.contract.schema import Contract

_SCALARS: Final = frozenset({"string", "integer", "number", "boolean"})
_KEY: Final = Field(name="key", schema={}, types=frozenset({"string"}), kind=ColumnKind.STRING, ddl="string")


def accepts(contract: Contract, cells: Mapping[str, Cell], *, no_others: Condition) -> Column:
    """Give the condition, never NULL, under which a row is surely valid and kept without loss.

    `no_others` says that the row has no members besides the contract's, not even nulls.
    """
    row = F.lit(None)
    root = Cell(
        field=contract.root,
        missing=False,
        empty=False,
        known=True,
        value=row,
        column=row,
        members=cells,
        alone=no_others,
    )
    return F.coalesce(as_column(surely(root, contract.root.schema)), F.lit(False))  # noqa: FBT003 (a literal)


def surely(cell: Cell, schema: Any, *, holds: bool = True) -> Condition:
    """Give the condition under which the cell's value, being known, surely satisfies a schema, or surely does not."""
    if isinstance(schema, bool):
        return schema is holds
    demands = (key for key in schema if not demands_nothing(key))
    checks = [_KEYWORDS[key](cell, schema, holds) if key in _KEYWORDS else False for key in demands]
    return all_of(checks) if holds else any_of(checks)


def takes_null(schema: Any) -> bool:
    """Tell whether a null is surely valid: that is the same in every row, so the validator itself is asked."""
    return not has_references(schema) and _takes_null(json.dumps(schema))


@lru_cache(maxsize=1024)
def _takes_null(document: str) -> bool:
    validator = Draft202012Validator(json.loads(document), format_checker=Draft202012Validator.FORMAT_CHECKER)
    return bool(validator.is_valid(None))


def _surely_taken(cell: Cell, schema: Any) -> Condition:
    """Say that nothing a cell may have is refused by a schema: that it is missing, a null or a value that fits."""
    value = all_of([cell.known, surely(cell, schema)])
    return any_of([cell.missing, cell.empty if takes_null(schema) else False, value])


def _surely_refused(cell: Cell, schema: Any) -> Condition:
    return all_of([cell.known, surely(cell, schema, holds=False)])


def _all(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    parts = [surely(cell, part, holds=holds) for part in schema["allOf"]]
    return all_of(parts) if holds else any_of(parts)


def _any(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    parts = [surely(cell, part, holds=holds) for part in schema["anyOf"]]
    return any_of(parts) if holds else all_of(parts)


def _one(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    fits = [surely(cell, part) for part in schema["oneOf"]]
    fails = [surely(cell, part, holds=False) for part in schema["oneOf"]]
    if not holds:
        return any_of([all_of(fails), *(all_of(pair) for pair in combinations(fits, 2))])
    return any_of(all_of([fit, *fails[:place], *fails[place + 1 :]]) for place, fit in enumerate(fits))


def _not(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    return surely(cell, schema["not"], holds=not holds)


def _if(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    then = surely(cell, schema.get("then", True), holds=holds)
    otherwise = surely(cell, schema.get("else", True), holds=holds)
    met = all_of([surely(cell, schema["if"]), then])
    unmet = all_of([surely(cell, schema["if"], holds=False), otherwise])
    return any_of([met, unmet, all_of([then, otherwise])])


def _beside(_cell: Cell, _schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    """Another keyword judges this one with it."""
    return holds


def _of_objects(write: Write) -> Write:
    """Say nothing of values that are no objects."""
    return lambda cell, schema, holds: write(cell, schema, holds) if json_type(cell.field) == "object" else holds


def _of_arrays(write: Write) -> Write:
    """Say nothing of values that are no arrays."""
    return lambda cell, schema, holds: write(cell, schema, holds) if json_type(cell.field) == "array" else holds


def _properties(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    """Judge members by their schemas, and that the required ones of them are there."""
    parts = schema["properties"]
    if not set(parts) <= set(cell.members):
        return False
    members = [(cell.members[name], part, name in schema.get("required", [])) for name, part in parts.items()]
    if not holds:
        return any_of(_surely_refused(member, part) for member, part, _ in members)
    return all_of(
        all_of([member.known, surely(member, part)]) if required else _surely_taken(member, part)
        for member, part, required in members
    )


def _required(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    names = schema["required"]
    if not holds:
        return any_of(cell.members[name].missing for name in names if name in cell.members)
    return all_of(_has(cell, name) for name in names if name not in schema.get("properties", {}))


def _has(cell: Cell, name: str) -> Condition:
    return cell.members[name].known if name in cell.members else False


def _additional(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    rest, named = schema["additionalProperties"], schema.get("properties", {})
    if rest is True:
        return holds
    if cell.within:
        return False if named else _all_within(cell, F.map_values(cell.value), rest, holds=holds)
    others = [member for name, member in cell.members.items() if name not in named]
    if not holds:
        return any_of(_surely_refused(member, rest) for member in others)
    return all_of([cell.alone, *(_surely_taken(member, rest) for member in others)])


def _dependent_required(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    rules = [(name, names) for name, names in schema["dependentRequired"].items() if names]
    if not holds:
        lacking = ((name, other) for name, names in rules for other in names if other in cell.members)
        return any_of(all_of([_has(cell, name), cell.members[other].missing]) for name, other in lacking)
    return all_of(any_of([_lacks(cell, name), all_of(_has(cell, each) for each in names)]) for name, names in rules)


def _dependent_schemas(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    rules = schema["dependentSchemas"].items()
    if not holds:
        return any_of(all_of([_has(cell, name), surely(cell, part, holds=False)]) for name, part in rules)
    return all_of(any_of([_lacks(cell, name), surely(cell, part)]) for name, part in rules)


def _lacks(cell: Cell, name: str) -> Condition:
    return cell.members[name].missing if name in cell.members else cell.alone


def _property_names(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    if not cell.within:
        return False
    rule = partial(surely, schema=schema["propertyNames"], holds=holds)
    return _exist_or_all(F.map_keys(cell.value), lambda key: rule(_key(key)), holds=holds)


def _key(key: Column) -> Cell:
    return Cell(field=_KEY, missing=False, empty=False, known=True, value=key, column=key)


def _all_within(cell: Cell, values: Column, schema: Any, *, holds: bool) -> Condition:
    describe = cell.within
    if describe is None:
        return False
    judge = _surely_taken if holds else _surely_refused
    return _exist_or_all(values, lambda each: judge(describe(each), schema), holds=holds)


def _exist_or_all(values: Column, rule: Callable[[Column], Condition], *, holds: bool) -> Condition:
    over = F.forall if holds else F.exists
    return over(values, lambda each: as_column(rule(each)))


def _items(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    if "prefixItems" in schema or not cell.within:
        return False
    return _all_within(cell, cell.value, schema["items"], holds=holds)


def _contains(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    if not holds or not cell.within:
        return False
    describe = cell.within
    return F.exists(
        cell.value,
        lambda each: as_column(all_of([describe(each).known, surely(describe(each), schema["contains"])])),
    )


def _unique(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
    if not schema["uniqueItems"]:
        return holds
    element = cell.field.element
    kind = json_type(element) if element else None
    if kind not in _SCALARS:
        return exactly(F.size(cell.value) <= 1, holds=True) if holds else False
    values = F.transform(cell.value, lambda each: each + F.lit(0.0)) if kind == "number" else cell.value  # -0.0 is 0.0
    describe = cell.within
    whole = F.forall(cell.value, lambda each: as_column(describe(each).known)) if describe else False
    return all_of([whole, exactly(F.size(F.array_distinct(values)) == F.size(values), holds=holds)])


def _count(keyword: str, compare: Callable[[Column, Any], Column], of: str) -> Write:
    def write(cell: Cell, schema: Mapping[str, Any], holds: bool) -> Condition:  # noqa: FBT001 (as every keyword)
        if json_type(cell.field) != of:
            return holds
        return exactly(compare(F.size(cell.value), schema[keyword]), holds=holds) if cell.within else False

    return write


_KEYWORDS: Final[Mapping[str, Write]] = {
    **SINGLE,
    "allOf": _all,
    "anyOf": _any,
    "oneOf": _one,
    "not": _not,
    "if": _if,
    "then": _beside,
    "else": _beside,
    "properties": _of_objects(_properties),
    "required": _of_objects(_required),
    "additionalProperties": _of_objects(_additional),
    "dependentRequired": _of_objects(_dependent_required),
    "dependentSchemas": _of_objects(_dependent_schemas),
    "propertyNames": _of_objects(_property_names),
    "minProperties": _count("minProperties", Column.__ge__, "object"),
    "maxProperties": _count("maxProperties", Column.__le__, "object"),
    "items": _of_arrays(_items),
    "contains": _of_arrays(_contains),
    "uniqueItems": _of_arrays(_unique),
    "minItems": _count("minItems", Column.__ge__, "array"),
    "maxItems": _count("maxItems", Column.__le__, "array"),
}
