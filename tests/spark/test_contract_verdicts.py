"""The engine's verdict equals the reference validator's on every row, and a native verdict is never a wrong "valid"."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY
from pyspark.sql import SparkSession
from referencing.jsonschema import DRAFT202012

from lakehouse_api.enforceable import FORMATS
from tests.spark.rows_near import drawn, near, spoiled
from tests.spark.suite import groups, remotes, suite
from tests.spark.verdicts import Case, judged, judged_typed, wrong

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


@pytest.mark.usefixtures("compiled")
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
        '{"s": "a", "x": 9007199254740993e-14}',
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


@pytest.mark.usefixtures("compiled")
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
    texts = ["{}", '{"v": null}', '{"v": 1}', '{"v": "null"}', '{"v": 1, "w": null}', '{"w": "null"}']
    schemas = [
        {"properties": {"v": {"type": types, **more}, "w": {}}, "required": required}
        for types in ("integer", ["integer", "null"], "string", ["string", "null"])
        for more in ({}, {"minimum": 1}, {"enum": [1, "null"]}, {"not": {"type": "null"}})
        for required in ([], ["v"])
    ]

    assert wrong(judged(spark, [Case(schema=schema, rows=texts) for schema in schemas])) == []


@pytest.mark.usefixtures("compiled")
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


TYPED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "integer": ("bigint", ("5", "-1", "9007199254740993", "NULL")),
    "whole": ("decimal(38,0)", ("5", "9007199254740993", "123456789012345678901234567890", "NULL")),
    "cents": ("decimal(10,2)", ("5.00", "5.10", "-0.01", "0")),
    "fine": ("decimal(20,9)", ("0.100000000", "0.123456789", "12345678901.1")),
    "double": ("double", ("5", "0.1", "1e300", "double('NaN')", "double('Infinity')", "-0.0")),
    "float": ("float", ("0.1", "2")),
    "boolean": ("boolean", ("true", "false")),
    "text": ("string", ("'a'", "''", "'5'", "'2020-01-01T00:00:00Z'", "'2020-01-01T00:00:00'", "'2020-01-01'")),
    "moment": ("timestamp", ("'2020-01-01T00:00:00.123456Z'", "'0001-01-01T00:00:00Z'", "'9999-12-31T00:00:00Z'")),
    "local": ("timestamp_ntz", ("'2020-01-01T00:00:00.123456'", "'1969-12-31T23:59:59'")),
    "day": ("date", ("'2020-02-29'", "'0001-01-01'", "'9999-12-31'")),
    "bytes": ("binary", ("'abc'",)),
    "object": (
        "struct<s:string,d:decimal(10,2),t:timestamp,z:int>",
        (
            "struct('a', 1.5, timestamp'2020-01-01 00:00:00', NULL)",
            "struct(NULL, NULL, NULL, 1)",
            "struct('a', NULL, NULL, NULL)",
        ),
    ),
    "list": ("array<bigint>", ("array(1, 2)", "array(1, NULL)", "array()", "array(1, 1)")),
    "objects": ("array<struct<s:string>>", ("array(struct('a'), NULL)", "array(struct('a'), struct(NULL))")),
    "map": ("map<string,date>", ("map('a', date'2020-01-01')", "map('a', NULL)", "map()")),
}
TYPED_AS = (
    *({"type": each} for each in ("integer", "number", "boolean", "string")),
    *({"type": "number", "x-spark-type": f"decimal({digits})"} for digits in ("10,2", "38,10", "5,1")),
    *({"type": "string", "format": name} for name in ("date", "date-time")),
    {"type": "string", "x-spark-type": "timestamp_ntz"},
    {"type": "array", "items": {"type": ["integer", "null"]}, "uniqueItems": True},
    {"type": "array", "items": {"type": "object", "properties": {"s": {"type": "string"}}, "required": ["s"]}},
    {"type": "object", "additionalProperties": {"type": ["string", "null"], "format": "date"}},
    {
        "type": "object",
        "properties": {
            "s": {"type": "string"},
            "d": {"type": "number", "x-spark-type": "decimal(12,4)", "minimum": 1},
            "t": {"type": "string", "format": "date-time"},
        },
    },
)


def test_columns_with_types_of_their_own_are_judged_as_their_instances_are(spark: SparkSession) -> None:
    results = []
    for type_, values in TYPED.values():
        rows = " UNION ALL ".join(f"SELECT CAST({value} AS {type_}) v" for value in values)
        each = [f"IF(m = {place}, v, NULL) AS v{place}" for place in range(len(TYPED_AS))]
        frame = spark.sql(rows).crossJoin(spark.range(len(TYPED_AS)).withColumnRenamed("id", "m")).selectExpr(*each)
        schema = {"properties": {f"v{place}": part for place, part in enumerate(TYPED_AS)}}
        results += judged_typed(spark, schema, frame)

    assert wrong(results) == []
    assert sum(each.native and each.row != "{}" for each in results) > len(TYPED_AS)


def test_the_official_suite_is_judged_as_the_reference_judges_it(spark: SparkSession) -> None:
    found = suite()

    results = judged(spark, found.cases)

    assert wrong(results) == []
    natively = sum(each.native for each in results)
    assert natively > sum(each.valid for each in results) // 7
    print(f"\n{len(results)} rows of the official suite, {natively} accepted natively")  # noqa: T201 (a figure for the log)


def test_only_schemas_that_refer_elsewhere_or_name_an_unknown_format_are_no_contracts() -> None:
    reasons = {
        name: "points to nothing" if "points to nothing" in problem else re.sub(r".*(format '[^']*').*", r"\1", problem)
        for name, problem in suite().refused.items()
    }

    assert {name.partition(":")[0] for name, reason in reasons.items() if reason == "points to nothing"} == {
        "dynamicRef",
        "refRemote",
    }
    others = {reason for reason in reasons.values() if reason != "points to nothing"}
    assert others == {f"format '{name}'" for name in UNCHECKED_FORMATS}


def test_the_reference_departs_from_the_specification_only_where_the_documentation_says() -> None:
    checker = Draft202012Validator.FORMAT_CHECKER
    known = REGISTRY.with_resources((uri, DRAFT202012.create_resource(each)) for uri, each in remotes().items())
    departures = {
        group.name
        for group in groups()
        for instance, valid in zip(group.instances, group.valid, strict=True)
        if Draft202012Validator(group.schema, registry=known, format_checker=checker).is_valid(instance) != valid
    }

    asserted = {name for name in departures if name.startswith("format: ")}
    assert departures - asserted == {
        "vocabulary: schema that uses custom metaschema with with no validation vocabulary",
        "date-time: validation of date-time strings",
        "email: validation of e-mail addresses",
    }
    assert {name.split()[1] for name in asserted} <= set(FORMATS), "formats are asserted, which the suite leaves open"


UNCHECKED_FORMATS = ("hostname", "iri", "iri-reference", "uri", "uri-reference", "uri-template", "duration")
NUMBERS = st.one_of(
    st.integers(-12, 12),
    st.sampled_from([2**53 - 1, 2**53, 2**53 + 1, 2**63, -(2**63), 10**15, 10**16]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-100, 100, places=2).map(float),
)
STRINGS = st.one_of(st.text(max_size=6), st.text("ab1-@.T:Z\n", max_size=8), st.dates().map(str), st.uuids().map(str))
VALUES = st.recursive(
    st.one_of(NUMBERS, STRINGS, st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2),
    max_leaves=4,
)
PATTERNS = (
    *("^a", "b$", "^[a-c]*$", "a|b", "(a|b){2}", "[^a]", r"\d", r"\S", "^.$", "", r"^\s*$", "(?i)A", r"\ba", "a{2,3}?"),
    "[\\]-]",
)
KEYWORDS: Mapping[str, st.SearchStrategy[Any]] = {
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    "pattern": st.sampled_from(PATTERNS),
    "format": st.sampled_from(["date", "date-time", "email", "uuid", "ipv4", "regex"]),
    "minLength": st.integers(0, 4),
    "maxLength": st.integers(0, 6),
    "minimum": NUMBERS,
    "maximum": NUMBERS,
    "exclusiveMinimum": NUMBERS,
    "exclusiveMaximum": NUMBERS,
    "multipleOf": st.one_of(st.integers(1, 7), st.sampled_from([0.1, 0.01, 2.5])),
    "minItems": st.integers(0, 2),
    "maxItems": st.integers(0, 2),
    "uniqueItems": st.booleans(),
    "minProperties": st.integers(0, 2),
    "maxProperties": st.integers(0, 2),
    "not": st.sampled_from([{"type": "null"}, {"const": "a"}, {"minimum": 1}, {"required": ["a"]}, {"maxLength": 1}]),
}
SCALARS = ("string", "integer", "number", "boolean")
TYPES = st.one_of(
    st.sampled_from(SCALARS),
    st.sampled_from([["string", "null"], ["integer", "null"], ["number", "integer"], ["string", "integer"], "array"]),
)


@st.composite
def scalars(draw: st.DrawFn) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(sorted(KEYWORDS)), max_size=2, unique=True))
    return {"type": draw(TYPES)} | {keyword: draw(KEYWORDS[keyword]) for keyword in chosen}


def _composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Build schemas of schemas: objects, maps, lists, and the keywords that combine."""
    several = st.lists(inner, min_size=1, max_size=2)
    members = st.dictionaries(st.sampled_from("ab"), inner, min_size=1, max_size=2)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": members},
            optional={"required": st.just(["a"]), "additionalProperties": st.booleans()},
        ),
        st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"uniqueItems": st.booleans()}),
        st.builds(
            lambda one, key, parts: {**one, key: parts}, inner, st.sampled_from(["anyOf", "oneOf", "allOf"]), several
        ),
        st.builds(lambda one, a, b, c: {**one, "if": a, "then": b, "else": c}, inner, inner, inner, inner),
        st.builds(lambda one: {"anyOf": [one, {"type": "null"}]}, inner),
    )


DEFINITIONS_OF_ANY = st.one_of(scalars(), _composed(scalars()), _composed(_composed(scalars())))


@st.composite
def contracts(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "properties": {name: draw(DEFINITIONS_OF_ANY) for name in "abcd"},
        "required": draw(st.lists(st.sampled_from("ab"), unique=True, max_size=1)),
        "additionalProperties": draw(st.booleans()),
    }


def rows(contract: dict[str, Any]) -> st.SearchStrategy[str]:
    members = {name: st.one_of(near(part), near(part), VALUES) for name, part in contract["properties"].items()}
    return st.fixed_dictionaries({}, optional={**members, "z": VALUES}).map(json.dumps)


def test_random_contracts_and_rows_are_judged_as_the_reference_judges_them(spark: SparkSession) -> None:
    batch = [Case(schema=contract, rows=drawn(rows(contract), 40)) for contract in drawn(contracts(), 16)]

    results = judged(spark, batch)

    assert wrong(results) == []
    assert any(each.native for each in results)


SHIPPED = sorted((Path(__file__).parents[2] / "schemas").glob("*.schema.json"))


def test_rows_for_each_contract_of_ours_and_ways_to_spoil_them_are_judged_as_the_reference_judges_them(
    spark: SparkSession,
) -> None:
    schemas = [json.loads(path.read_text()) for path in SHIPPED]
    shipped = [Case(schema=each, rows=drawn(spoiled(each), 80) + drawn(spoiled(each, most=0), 60)) for each in schemas]

    results = judged(spark, shipped)

    assert wrong(results) == []
    for case in shipped:
        of_it = [each for each in results if each.schema is case.schema]
        assert any(each.native for each in of_it), case.schema["title"]
        assert any(not each.valid for each in of_it), case.schema["title"]
