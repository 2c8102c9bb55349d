"""Every kind of change of a contract, and what it breaks."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from lakehouse_api.data_contract import Compatibility
from lakehouse_operator.core.compatibility import compare
from lakehouse_operator.core.compatibility_verdict import Direction, Outcome, Promise, Verdict

Edit = Callable[[dict[str, Any]], Any]

OLD: dict[str, Any] = {
    "type": "object",
    "x-keys": ["id"],
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "count": {"type": "integer", "minimum": 0, "maximum": 99},
        "amount": {"type": "number", "x-spark-type": "decimal(10,2)", "x-unit": "EUR"},
        "note": {"type": ["string", "null"], "maxLength": 10},
        "day": {"type": "string", "format": "date"},
        "place": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "size": {"$ref": "#/$defs/size"},
        "step": {"type": "integer", "multipleOf": 2},
        "maybe": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {}, "b": {}}}]},
        "either": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
    },
    "$defs": {"size": {"type": "integer", "minimum": 1}},
}


def edited(edit: Edit) -> dict[str, Any]:
    new = deepcopy(OLD)
    edit(new)
    return new


def of(name: str, **keywords: Any) -> Edit:
    """Set keywords of a property; None takes one away."""

    def edit(schema: dict[str, Any]) -> None:
        found = schema["properties"][name]
        found.update({key.replace("_", "-"): value for key, value in keywords.items()})
        for key in [key for key, value in found.items() if value is None]:
            del found[key]

    return edit


def add(name: str, **schema: Any) -> Edit:
    return lambda contract: contract["properties"].update({name: schema})


CHANGES = [
    # edit, kinds of changes, what they break
    pytest.param(add("new", type="string"), {"PropertyAdded"}, set(), id="a property is new"),
    pytest.param(
        lambda s: (s["properties"].update(new={"type": "string"}), s["required"].append("new")),
        {"PropertyAdded", "RequiredAdded"},
        {Promise.ROWS},
        id="a required property is new",
    ),
    pytest.param(
        lambda s: s["properties"].pop("note"),
        {"PropertyRemoved"},
        {Promise.COLUMNS, Promise.VALUES},
        id="a property is gone",
    ),
    pytest.param(
        lambda s: s["properties"].update(remark=s["properties"].pop("note")),
        {"PropertyAdded", "PropertyRemoved"},
        {Promise.COLUMNS, Promise.VALUES},
        id="a property is renamed",
    ),
    pytest.param(lambda s: s["required"].append("note"), {"RequiredAdded"}, {Promise.ROWS}, id="it became required"),
    pytest.param(
        lambda s: s["required"].remove("kind"), {"RequiredRemoved"}, {Promise.VALUES}, id="it is optional now"
    ),
    pytest.param(of("note", type="string"), {"TypeRemoved"}, {Promise.ROWS}, id="null is not allowed any more"),
    pytest.param(of("id", type=["string", "null"]), {"TypeAdded"}, {Promise.VALUES}, id="null is allowed"),
    pytest.param(
        of("count", type="number"),
        {"TypeAdded", "ColumnTypeChanged"},
        {Promise.COLUMNS, Promise.VALUES},
        id="integers became numbers",
    ),
    pytest.param(
        of("note", type="integer", maxLength=None),
        {"TypeAdded", "TypeRemoved", "ColumnTypeChanged", "MaxLengthRemoved"},
        {Promise.ROWS, Promise.COLUMNS, Promise.VALUES},
        id="another type",
    ),
    pytest.param(
        of("amount", x_spark_type="decimal(12,3)"),
        {"ColumnWidened"},
        set(),
        id="a wider decimal",
    ),
    pytest.param(
        of("count", x_spark_type="decimal(20,0)"), {"ColumnWidened"}, set(), id="an integer that became a decimal"
    ),
    pytest.param(
        of("amount", x_spark_type="decimal(10,3)"),
        {"ColumnTypeChanged"},
        {Promise.COLUMNS},
        id="a decimal with fewer digits before the point",
    ),
    pytest.param(of("amount", x_unit="cent"), {"X-unitChanged"}, {Promise.COLUMNS}, id="another unit"),
    pytest.param(of("count", x_unit="piece"), {"X-unitAdded"}, set(), id="a unit is told"),
    pytest.param(lambda s: s.update({"x-keys": ["id", "kind"]}), {"X-keysChanged"}, {Promise.COLUMNS}, id="other keys"),
    pytest.param(of("count", x_pii="low"), {"X-piiAdded"}, set(), id="a class of personal data"),
    pytest.param(of("count", description="How many."), {"DescriptionAdded"}, set(), id="a description"),
    pytest.param(of("kind", enum=["a"]), {"EnumValuesRemoved"}, {Promise.ROWS}, id="an enum shrank"),
    pytest.param(of("kind", enum=["a", "b", "c"]), {"EnumValuesAdded"}, {Promise.VALUES}, id="an enum grew"),
    pytest.param(of("kind", enum=None), {"EnumRemoved"}, {Promise.VALUES}, id="an enum is gone"),
    pytest.param(of("note", enum=["x", None]), {"EnumAdded"}, {Promise.ROWS}, id="an enum is new"),
    pytest.param(of("kind", const="a"), {"ConstAdded"}, {Promise.ROWS}, id="a constant"),
    pytest.param(of("note", maxLength=5), {"MaxLengthLowered"}, {Promise.ROWS}, id="shorter texts"),
    pytest.param(of("note", maxLength=50), {"MaxLengthRaised"}, {Promise.VALUES}, id="longer texts"),
    pytest.param(of("count", minimum=1), {"MinimumRaised"}, {Promise.ROWS}, id="a higher minimum"),
    pytest.param(of("count", maximum=None), {"MaximumRemoved"}, {Promise.VALUES}, id="no maximum"),
    pytest.param(of("step", multipleOf=4), {"MultipleOfChanged"}, {Promise.ROWS}, id="bigger steps"),
    pytest.param(of("step", multipleOf=1), {"MultipleOfChanged"}, {Promise.VALUES}, id="smaller steps"),
    pytest.param(
        of("step", multipleOf=3), {"MultipleOfChanged"}, {Promise.ROWS, Promise.VALUES}, id="steps of another kind"
    ),
    pytest.param(
        of("id", pattern="^[a-z]{3}$"), {"PatternChanged"}, {Promise.ROWS, Promise.VALUES}, id="another pattern"
    ),
    pytest.param(of("id", pattern=None), {"PatternRemoved"}, {Promise.VALUES}, id="no pattern"),
    pytest.param(of("note", format="email"), {"FormatAdded"}, {Promise.ROWS}, id="a format"),
    pytest.param(
        of("day", format=None),
        {"FormatRemoved", "ColumnTypeChanged"},
        {Promise.COLUMNS, Promise.VALUES},
        id="a date that became a text",
    ),
    pytest.param(
        lambda s: s.update(additionalProperties=False),
        {"AdditionalPropertiesAdded"},
        {Promise.ROWS},
        id="a row may hold nothing else",
    ),
    pytest.param(
        lambda s: s["properties"]["place"]["properties"].update(zip={"type": "string"}),
        {"PropertyAdded"},
        set(),
        id="a member inside is new",
    ),
    pytest.param(
        lambda s: s["properties"]["place"]["required"].append("zip"),
        {"RequiredAdded"},
        {Promise.ROWS},
        id="a member inside became required",
    ),
    pytest.param(
        lambda s: s["properties"]["tags"]["items"].update(maxLength=3),
        {"MaxLengthAdded"},
        {Promise.ROWS},
        id="items became shorter",
    ),
    pytest.param(of("tags", minItems=None), {"MinItemsRemoved"}, {Promise.VALUES}, id="an empty array is allowed"),
    pytest.param(
        lambda s: s["$defs"]["size"].update(minimum=2), {"MinimumRaised"}, {Promise.ROWS}, id="a definition changed"
    ),
    pytest.param(
        of("either", anyOf=[{"type": "string"}]), {"AnyOfChanged"}, {Promise.ROWS}, id="an alternative is gone"
    ),
    pytest.param(
        of("maybe", anyOf=[{"type": "null"}, {"type": "object", "properties": {"a": {}}}]),
        {"ColumnRemoved", "AnyOfChanged"},
        {Promise.COLUMNS},
        id="a member of what may be null is gone",
    ),
    pytest.param(of("either", anyOf=[{"type": ["boolean", "string"]}]), {"AnyOfChanged"}, set(), id="said otherwise"),
    pytest.param(lambda s: s.update({"$id": "https://example.org/x"}), set(), set(), id="another name"),
]


@pytest.mark.parametrize(("edit", "kinds", "breaks"), CHANGES)
def test_a_change_is_named_and_breaks_what_it_breaks(edit: Edit, kinds: set[str], breaks: set[Promise]) -> None:
    full = compare(OLD, edited(edit), Compatibility.FULL)
    backward = compare(OLD, edited(edit), Compatibility.BACKWARD)

    assert {change.kind for change in full.changes} == kinds
    assert set(full.broken) == breaks
    assert set(backward.broken) == breaks - {Promise.VALUES}
    assert full.outcome is (Outcome.BREAKING if breaks else Outcome.COMPATIBLE)
    assert (full.example is not None) == bool(breaks - {Promise.COLUMNS})


def test_nothing_is_held_against_a_contract_that_promises_nothing() -> None:
    verdict = compare(OLD, {"type": "object", "properties": {"z": {}}}, Compatibility.NONE)

    assert verdict.outcome is Outcome.COMPATIBLE
    assert len(verdict.changes) > len(OLD["properties"])


def test_a_change_that_no_row_can_meet_breaks_nothing() -> None:
    old = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5, "multipleOf": 1}}}
    new = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5, "not": {"const": 3}}}}

    verdict = compare(old, new, Compatibility.FULL)

    assert verdict.outcome is Outcome.COMPATIBLE
    assert {change.kind for change in verdict.changes} == {"NotAdded", "MultipleOfRemoved"}
    assert not any(change.breaks for change in verdict.changes)


@pytest.mark.parametrize(
    "new",
    [
        pytest.param({"properties": {"a": {"$ref": "https://example.org/x"}}}, id="what lies elsewhere"),
        pytest.param({"properties": {"a": {"$ref": "#/$defs/none"}}}, id="what is nowhere"),
        pytest.param(
            {"properties": {"a": {"properties": {"b": {"$ref": "https://example.org/x"}}}}},
            id="what lies elsewhere, deep inside",
        ),
        pytest.param({"properties": {"a": {"pattern": "("}}}, id="no regular expression"),
        pytest.param({"allOf": [{"$ref": "#"}]}, id="a circle without end"),
    ],
)
def test_what_cannot_be_checked_is_neither_compatible_nor_breaking(new: dict[str, Any]) -> None:
    verdict = compare({"type": "object", "properties": {"a": {}}}, {"type": "object", **new}, Compatibility.BACKWARD)

    assert verdict.unproven == (Promise.ROWS,)
    assert verdict.example is None


def test_a_schema_that_refers_to_itself_can_be_compared() -> None:
    tree: dict[str, Any] = {
        "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}, "n": {"minimum": 1}},
    }
    new = deepcopy(tree)
    new["properties"]["n"]["minimum"] = 2

    assert compare(tree, new, Compatibility.BACKWARD).outcome is Outcome.BREAKING


def test_the_summary_names_the_change_and_shows_the_row() -> None:
    verdict = compare(OLD, edited(of("kind", enum=["a"])), Compatibility.BACKWARD)

    assert verdict.summary == (
        '/kind: "b" is not allowed any more. For example, the row {"id": "AAA", "kind": "b"} is valid now and would be '
        "refused: /kind: 'b' is not one of ['a']."
    )


def test_of_a_long_row_the_summary_shows_the_members_that_matter() -> None:
    names = [f"a_long_name_of_a_member_{number}" for number in range(30)]
    old: dict[str, Any] = {
        "type": "object",
        "required": names,
        "properties": {name: {"type": "string"} for name in names},
    }
    new = deepcopy(old)
    new["properties"][names[7]]["minLength"] = 1

    assert f'{{"{names[7]}": "", …}}' in compare(old, new, Compatibility.BACKWARD).summary


def test_a_verdict_is_the_same_after_it_was_written_and_read() -> None:
    verdict = compare(OLD, edited(of("note", maxLength=5)), Compatibility.FULL)

    assert Verdict.model_validate(verdict.document()) == verdict
    assert verdict.changes[0].direction is Direction.TIGHTENS
