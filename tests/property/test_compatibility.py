"""What a comparison of two contracts claims holds for rows it has never seen."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lakehouse_api.data_contract import Compatibility
from lakehouse_operator.core.compatibility import compare
from lakehouse_operator.core.compatibility_verdict import Outcome, Promise

NAMES = ("a", "b", "c")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from([0.5, 1.5, 2.0]),
    st.sampled_from(["", "a", "ab", "aab", "b1", "12", "2026-01-31", "a@b.c", "aaaaaaaa"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
)
ROWS = st.lists(st.dictionaries(st.sampled_from((*NAMES, "other")), VALUES, max_size=4), min_size=20, max_size=60)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
    "enum": st.lists(SCALARS, min_size=1, max_size=4),
    "const": SCALARS,
    "minLength": st.integers(0, 4),
    "maxLength": st.integers(0, 8),
    "pattern": st.sampled_from(["^a", "b$", "^[a-c]+$", "^a{2,3}b?$", "[0-9]", r"^\d+$", "a|b1"]),
    "format": st.sampled_from(["date", "email"]),
    "minimum": st.integers(-3, 10),
    "exclusiveMaximum": st.integers(0, 12),
    "multipleOf": st.sampled_from([1, 2, 3, 0.5]),
    "minItems": st.integers(0, 2),
    "maxItems": st.integers(0, 3),
    "uniqueItems": st.booleans(),
}


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    members = st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    nested: dict[str, st.SearchStrategy[Any]] = {
        "items": inner,
        "properties": members,
        "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        "additionalProperties": st.booleans() | inner,
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "not": inner,
        "if": inner,
        "then": inner,
    }
    return _some_of(KEYWORDS | nested)


@st.composite
def _some_of(draw: st.DrawFn, keywords: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True))
    return {keyword: draw(keywords[keyword]) for keyword in chosen}


PROPERTIES = st.recursive(_some_of(KEYWORDS), _schemas, max_leaves=4)
CONTRACTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from(NAMES), PROPERTIES, min_size=1)},
    optional={
        "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
        "additionalProperties": st.booleans(),
        "minProperties": st.integers(0, 2),
        "allOf": st.lists(
            st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from(NAMES), PROPERTIES)}), min_size=1
        ),
    },
)


@st.composite
def _versions(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a contract and another: mostly the same one with a property or a keyword changed."""
    old, other = draw(CONTRACTS), draw(CONTRACTS)
    part = draw(st.sampled_from(["all", "property", "keyword", "nothing"]))
    if part == "property":
        return old, {**old, "properties": {**old["properties"], **other["properties"]}}
    if part == "keyword":
        return old, {**old, **{key: value for key, value in other.items() if key != "properties"}}
    return old, old if part == "nothing" else other


def _valid(schema: dict[str, Any], row: Any) -> bool:
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(row)


@given(versions=_versions(), rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_no_row_contradicts_what_a_comparison_claims(
    versions: tuple[dict[str, Any], dict[str, Any]], rows: list[dict[str, Any]]
) -> None:
    old, new = versions
    verdict = compare(old, new, Compatibility.FULL)

    if verdict.example is not None:
        valid, refused = (old, new) if verdict.example.promise is Promise.ROWS else (new, old)
        assert _valid(valid, verdict.example.row)
        assert not _valid(refused, verdict.example.row)
    kept = set(Promise) - {*verdict.broken, *verdict.unproven}
    added = set(new["properties"]) - set(old["properties"])
    for row in rows:
        if Promise.ROWS in kept and not added & set(row) and _valid(old, row):
            assert _valid(new, row), (row, verdict)
        if Promise.VALUES in kept and not added & set(row) and _valid(new, row):
            assert _valid(old, row), (row, verdict)


@given(contract=CONTRACTS)
@settings(max_examples=20, deadline=None)
def test_a_contract_is_compatible_with_itself_and_its_changes_are_none(contract: dict[str, Any]) -> None:
    verdict = compare(contract, dict(reversed(contract.items())), Compatibility.FULL)

    assert not verdict.changes
    assert verdict.outcome is not Outcome.BREAKING
