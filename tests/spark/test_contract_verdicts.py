"""The engine's verdict equals the reference validator's on every row, and a native verdict is never a wrong "valid"."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from tests.spark.suite import suite_cases
from tests.spark.verdicts import Case, judged, wrong

pytestmark = pytest.mark.spark

PROPERTIES: Mapping[str, Any] = {
    "s": {"type": "string"},
    "sn": {"type": ["string", "null"], "maxLength": 3},
    "p": {"type": "string", "pattern": "^a.c$", "minLength": 3},
    "w": {"type": "string", "pattern": r"\w+\d"},
    "en": {"enum": ["a", 1, None, True]},
    "es": {"type": "string", "enum": ["a", "true", "5"]},
    "i": {"type": "integer", "minimum": -5, "maximum": 9007199254740993},
    "in": {"type": ["integer", "null"], "multipleOf": 5, "const": 10},
    "n": {"type": "number", "exclusiveMinimum": 0, "maximum": 1e15},
    "f": {"type": "number", "multipleOf": 0.01},
    "b": {"type": "boolean"},
    "bc": {"type": "boolean", "const": True},
    "d": {"type": "string", "format": "date"},
    "t": {"type": "string", "format": "date-time"},
    "m": {"type": "string", "format": "email"},
    "u": {"type": ["string", "null"], "format": "uuid"},
    "x": {"type": "number", "x-spark-type": "decimal(10,2)", "minimum": -1},
    "o": {"type": "object", "required": ["k"]},
    "a": {"type": "array", "items": {"type": "integer"}},
    "no": False,
}
TOKENS = (
    *("0", "-0", "5", "10", "-6", "1.0", "1e1", "1E400", "0.07", "1.005", "1.50", "99999999.99", "100000000"),
    *("9007199254740992", "9007199254740993", "9007199254740994", "-9223372036854775809", str(10**30), "1" * 1200),
    *("true", "false", "null", "NaN", "Infinity", "-Infinity", "+1", ".5", "1.", "01", "1,000.5", "0x1"),
    *(
        '"5"',
        '"10"',
        '"-1"',
        '"1e5"',
        '"1.5"',
        '"true"',
        '"false"',
        '"null"',
        '"NaN"',
        '"Infinity"',
        '""',
        '" "',
        '" 1 "',
    ),
    *('"a"', '"abc"', '"a\\nc"', '"abc\\n"', '"abcd"', '"a\U0001f600c"', '"é1"', '"٣٣"', '"x٣"', '"x3"', '"\\u0000"'),
    *('"{\\"k\\": 1}"', '"[1]"', '"-"', '"--1"', '"1-2"', '"+49 30 1"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0061"'),
    *(
        '"2020"',
        '"2020-1-1"',
        '"2020-02-29"',
        '"2021-02-29"',
        '"0000-01-01"',
        '"0001-01-01"',
        '"9999-12-31"',
        '"18262"',
    ),
    *('"2020-02-29\\n"', '" 2020-02-29"', '"٢٠٢٠-01-01"', '"2020-01-01T10:00"', '"T12:00"', '"2020-01-01T00:00:00"'),
    *('"2020-01-01T00:00:00Z"', '"2020-01-01t00:00:00z"', '"2020-01-01T00:00:00Z\\n"', '"2020-01-01 00:00:00Z"'),
    *(
        '"2020-01-01T24:00:00Z"',
        '"2020-01-01T23:59:60Z"',
        '"2020-01-01T00:00:00.1234567Z"',
        '"2020-01-01T00:00:00.123456Z"',
    ),
    *(
        '"2020-01-01T00:00:00+05:30"',
        '"2020-01-01T00:00:00-23:59"',
        '"2020-01-01T00:00:00+2500"',
        '"0001-01-01T00:00:00+05:00"',
    ),
    *('"9999-12-31T23:59:59-05:00"', '"2021-02-29T00:00:00Z"', '"0000-01-01T00:00:00Z"', '"2020-01-01T00:00:00+18:30"'),
    *('"me@x"', '"@"', '"me"', '"6d0c5c1e-2f7c-4c5f-9c39-0a4b7d3c1e55"', '"6D0C5C1E-2F7C-4C5F-9C39-0A4B7D3C1E55"'),
    *('"6d0c5c1e2f7c4c5f9c390a4b7d3c1e55"', '"{6d0c5c1e-2f7c-4c5f-9c39-0a4b7d3c1e55}"', '"urn:uuid:x"'),
    *('{"k": 1}', '{"k": null}', "{}", "[]", "[1]", "[1.0]", '["1"]', "[null]", "[[1]]", '{"k": 1, "k": 2}'),
)
TEXTS = (
    *('{"s": "a"},{"s": "b"}', '{"s": "a"}]', '{"s": "a"}]} x', '{"s": "a"}],"q":[1', '{"s": "a"},', ',{"s": "a"}'),
    *(
        "",
        " ",
        "{}",
        "[]",
        "5",
        "null",
        '"{}"',
        "[{}]",
        "{",
        "}",
        "{}}",
        "{} x",
        "{}{}",
        '{"s": "a"} {"s": "b"}',
        "nul",
    ),
    *("{'s': 'a'}", '{s: "a"}', '{"s": "a",}', '{"s" "a"}', '{"s": "a" /* c */}', '{"s": "a\tb"}', '{"s": "a\\qb"}'),
    *('{"s": "a", "s": 1}', '{"s": 1, "s": "a"}', '{"s": "a", "s": null}', '{"s": null, "s": "a"}', '\ufeff{"s": "a"}'),
    *('{"S": "a"}', '{"s ": 1}', '{"": 1}', '{"zzz": null}', '{"s": "null"}', '{"s": "a", "extra": {"i": "x"}}'),
    *('\n{"s":\r\n"a"}\t', '{"s": "a"},"b":{"s":"b"}', '{"s": "a"}, "z": "."', "[" * 2000, '{"s":"a"}\x00', "\x0b{}"),
    *('{"i": 1, "n": 2, "b": true}', '{"i": 1, "n": "2"}', '{"\\u0073": 5}', '{"\\u0073": "a"}', '{"s": "\x7f"}'),
)
VARIANTS: tuple[Mapping[str, Any], ...] = (
    {},
    {"type": "object", "additionalProperties": False},
    {"type": ["object", "null"], "required": ["s"], "additionalProperties": {"type": "object"}},
    {"type": "array"},
    {"required": ["zzz"]},
    {"minProperties": 1},
    {"allOf": [{"required": ["i"]}]},
)


def test_every_quirk_of_the_json_reader_is_judged_as_the_reference_judges_it(spark: SparkSession) -> None:
    members = [f'{{"{name}": {token}}}' for name in PROPERTIES for token in TOKENS]
    whole = [Case(schema={"properties": PROPERTIES, **variant}, rows=TEXTS) for variant in VARIANTS]
    cases = [Case(schema={"properties": PROPERTIES}, rows=members), *whole]

    results = judged(spark, cases)

    assert wrong(results) == []
    assert len(results) == sum(len(case.rows) for case in cases)
    assert sum(each.native for each in results) > len(PROPERTIES), "the native tier decides what is plain"


NESTED: Mapping[str, Any] = {
    "o": {
        "type": "object",
        "required": ["s"],
        "properties": {
            "s": {"type": "string", "maxLength": 3},
            "i": {"type": ["integer", "null"], "minimum": 0},
            "t": {"type": "string", "format": "date-time"},
            "x": {"type": "number", "x-spark-type": "decimal(5,2)"},
            "in": {"$ref": "#/$defs/in"},
        },
    },
    "c": {"type": ["object", "null"], "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    "ai": {"type": "array", "items": {"type": "integer", "maximum": 9}, "minItems": 1, "maxItems": 2},
    "an": {"type": "array", "items": {"type": ["number", "null"]}, "uniqueItems": True},
    "as": {"type": "array", "items": {"type": "string", "pattern": "^a"}, "uniqueItems": True},
    "ad": {"type": "array", "items": {"type": "string", "format": "date"}, "contains": {"const": "2020-02-29"}},
    "ao": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}},
    "aa": {"type": "array", "items": {"type": "array", "items": {"type": "boolean"}}},
    "m": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2},
    "ms": {"type": "object", "additionalProperties": {"type": ["string", "null"]}, "propertyNames": {"maxLength": 2}},
    "mo": {"type": "object", "additionalProperties": {"$ref": "#/$defs/in"}},
    "free": {"type": "object"},
    "l": {"type": "string", "x-spark-type": "timestamp_ntz"},
    "any": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "all": {"allOf": [{"$ref": "#/$defs/in"}]},
}
DEFINITIONS = {"in": {"type": "object", "properties": {"b": {"type": "boolean"}, "s": {"type": "string"}}}}
PARTS = (
    *("{}", "[]", "null", "5", '"a"', "true", "[null]", "[[]]", "[{}]", '[{"a": 1}, {"a": 2, "z": 1}]', "[[true], []]"),
    *('{"s": "a"}', '{"s": 5}', '{"s": "abcd"}', '{"s": null}', '{"s": "a", "i": null}', '{"s": "a", "i": -1}'),
    *('{"s": "a", "i": 1, "t": "2020-01-01T00:00:00+02:00", "x": 1.25}', '{"s": "a", "t": "2020-01-01"}'),
    *('{"s": "a", "t": "2020-01-01T00:00:00.1234567Z"}', '{"s": "a", "x": 1.255}', '{"s": "a", "x": 1000}'),
    *(
        '{"s": "a", "x": 0.10000000000000000001}',
        '{"s": "a", "x": 1e-400}',
        '{"s": "a", "x": 0}',
        '{"s": "a", "x": "1"}',
    ),
    *('{"s": "a", "x": 1.50}', '{"s": "a", "x": 1e1}', '{"s": "a", "s": "b"}', '{"s": "a", "s": null}', '{"S": "a"}'),
    *(
        '{"s": "a", "in": {"b": true}}',
        '{"s": "a", "in": {"b": 1}}',
        '{"s": "a", "in": {"q": 1}}',
        '{"s": "a", "in": {}}',
    ),
    *(
        '{"s": "a", "in": null}',
        '{"s": "a", "in": {"b": null}}',
        '{"s": "a", "q": null}',
        '{"s": "\\": 1"}',
        '{"s": "\\":"}',
    ),
    *('{"a": 1}', '{"a": 1, "b": 2}', '{"a": 1.0}', '{"a": 1, "a": 2}', '{"a": null}', '{"b": null}', '{"a": "1"}'),
    *(
        '{"a": 1, "b": 2, "c": 3}',
        '{"abc": 1}',
        '{"": 1}',
        '{"a": "x"}',
        '{"a": "5"}',
        '{"abc": "x"}',
        '{"a": {"b": true}}',
    ),
    *(
        '{"a": {"b": true, "z": 0}}',
        '{"a": {"b": true}, "a": {"s": "x"}}',
        '{"\\ud800": 1}',
        '{"a": "\\ud800"}',
        '{"é": 1}',
    ),
    *(
        "[1]",
        "[10]",
        "[1, 2]",
        "[1, 2, 3]",
        "[1, 1]",
        "[1, 1.0]",
        "[0, -0.0]",
        "[1.5, 2]",
        "[1, null]",
        "[null, null]",
        '["1"]',
    ),
    *(
        '["a", "ab"]',
        '["a", "a"]',
        '["b"]',
        '["5"]',
        "[5]",
        '["2020-02-29", "2020-03-01"]',
        '["2020-03-01"]',
        '["2021-02-29"]',
    ),
    *(
        '"2020-01-01T00:00:00"',
        '"2020-01-01T00:00:00Z"',
        '"2020-01-01T00:00:00.5"',
        '"2020-02-30T00:00:00"',
        "[true, 1]",
    ),
    *(
        '{"b": true, "s": "x"}',
        '{"b": true, "s": "x", "b": false}',
        "9007199254740993",
        "[9007199254740993]",
        '{"a": NaN}',
    ),
)


def test_what_is_nested_is_judged_and_written_as_the_reference_judges_it(spark: SparkSession) -> None:
    members = [f'{{"{name}": {part}}}' for name in NESTED for part in PARTS]
    both = [f'{{"o": {first}, "ao": {second}}}' for first in PARTS[12:18] for second in PARTS[:10]]
    schema = {"properties": NESTED, "$defs": DEFINITIONS}
    cases = [
        Case(schema=schema, rows=[*members, *both]),
        Case(schema={**schema, "required": ["c"]}, rows=members[150:300]),
    ]

    results = judged(spark, cases)

    assert wrong(results) == []
    accepted = {next(iter(json.loads(each.row))) for each in results if each.native}
    assert accepted >= set(NESTED) - {"free"}, "all but what is free is decided natively where it is plain"


def test_a_missing_or_null_member_is_judged_by_required_and_type(spark: SparkSession) -> None:
    rows = ["{}", '{"v": null}', '{"v": 1}', '{"v": "null"}', '{"v": 1, "w": null}', '{"w": "null"}']
    schemas = [
        {"properties": {"v": {"type": types, **more}, "w": {}}, "required": required}
        for types in ("integer", ["integer", "null"], "string", ["string", "null"])
        for more in ({}, {"minimum": 1}, {"enum": [1, "null"]}, {"not": {"type": "null"}})
        for required in ([], ["v"])
    ]

    assert wrong(judged(spark, [Case(schema=schema, rows=rows) for schema in schemas])) == []


def test_every_csv_cell_is_judged_as_its_coerced_value_is(spark: SparkSession) -> None:
    texts = [json.loads(token) if token.startswith('"') else token for token in TOKENS]
    texts = [text for text in texts if text and "\ud800" not in text]
    rows = [json.dumps({name: text}, ensure_ascii=False) for name in PROPERTIES for text in texts]
    more = [json.dumps({"s": "a", "extra": "b"}), json.dumps({"i": "1", "sn": "abc", "zzz": "x"}), "{}"]
    cases = [
        Case(schema={"properties": PROPERTIES}, rows=[*rows, *more], cells=True),
        Case(schema={"properties": PROPERTIES, "additionalProperties": False}, rows=more, cells=True),
        Case(schema={"properties": PROPERTIES, "required": ["i", "s"]}, rows=more, cells=True),
    ]

    results = judged(spark, cases)

    assert wrong(results) == []
    assert sum(each.native for each in results) > len(PROPERTIES), "the native tier decides what is plain"


def test_the_official_suite_for_the_compiled_keywords(spark: SparkSession) -> None:
    cases = suite_cases()

    results = judged(spark, cases)

    assert wrong(results) == []
    native = sum(each.native for each in results)
    assert native > 0
    print(f"\n{len(results)} tests of the official suite, {native} accepted natively")  # noqa: T201 (a figure for the log)


NUMBERS = st.one_of(
    st.integers(-12, 12),
    st.sampled_from([2**53 - 1, 2**53, 2**53 + 1, 2**63, -(2**63), 10**15, 10**16]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-100, 100, places=2).map(float),
)
STRINGS = st.one_of(st.text(max_size=6), st.text("ab1-@.T:Z\n", max_size=8), st.dates().map(str), st.uuids().map(str))
VALUES = st.recursive(
    st.one_of(NUMBERS, STRINGS, st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2),
    max_leaves=3,
)
PATTERNS = st.sampled_from(
    [
        "^a",
        "b$",
        "^[a-c]*$",
        "a|b",
        "(a|b){2}",
        "[^a]",
        r"\d",
        r"\S",
        "^.$",
        "",
        r"^\s*$",
        "(?i)A",
        r"\ba",
        "a{2,3}?",
        "[\\]-]",
    ]
)
KEYWORDS: Mapping[str, st.SearchStrategy[Any]] = {
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    "pattern": PATTERNS,
    "format": st.sampled_from(["date", "date-time", "email", "uuid", "ipv4", "regex"]),
    "minLength": st.integers(0, 4),
    "maxLength": st.integers(0, 6),
    "minimum": NUMBERS,
    "maximum": NUMBERS,
    "exclusiveMinimum": NUMBERS,
    "exclusiveMaximum": NUMBERS,
    "multipleOf": st.one_of(st.integers(1, 7), st.sampled_from([0.1, 0.01, 2.5])),
    "minItems": st.integers(0, 2),
    "not": st.just({"type": "null"}),
}
TYPES = st.one_of(
    st.sampled_from(["string", "integer", "number", "boolean"]),
    st.sampled_from([["string", "null"], ["integer", "null"], ["number", "integer"], ["string", "integer"], "array"]),
)


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(sorted(KEYWORDS)), max_size=2, unique=True))
    return {"type": draw(TYPES)} | {keyword: draw(KEYWORDS[keyword]) for keyword in chosen}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    schema = {
        "properties": {name: draw(definitions()) for name in ("a", "b", "c")},
        "required": draw(st.lists(st.sampled_from(["a", "b"]), unique=True, max_size=1)),
        "additionalProperties": draw(st.booleans()),
    }
    member = st.one_of(VALUES, STRINGS, NUMBERS, *(st.sampled_from(_hints(schema)),))
    instances = draw(st.lists(st.dictionaries(st.sampled_from("abcd"), member, max_size=4), min_size=25, max_size=25))
    return Case(schema=schema, rows=[json.dumps(instance) for instance in instances])


def _hints(schema: Mapping[str, Any]) -> list[Any]:
    """Values that the schema itself names: without them few random rows would be valid."""
    named = [each for definition in schema["properties"].values() for each in definition.values()]
    flat = [each for value in named for each in (value if isinstance(value, list) else [value])]
    return [*flat, "a", 0, True]


@settings(
    max_examples=3, phases=[Phase.generate], deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
@given(batch=st.lists(cases(), min_size=15, max_size=15))
def test_random_contracts_and_rows_are_judged_as_the_reference_judges_them(
    spark: SparkSession, batch: list[Case]
) -> None:
    assert wrong(judged(spark, batch)) == []
