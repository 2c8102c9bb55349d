"""JSON is cut into parts whose texts are those that arrived: no number, no escape, no byte is rewritten."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse_jobs.ingest.sources.rest.json_text import (
    JsonTextError,
    at_pointer,
    document,
    elements,
    find,
    is_literal,
    joined,
    members,
)

NUMBERS = "[1.50, 1e400, -0, 123456789012345678901234567890, 0.1000000000000000055511151231257827]"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_numbers_keep_their_text() -> None:
    assert elements(document(NUMBERS)) == NUMBERS.strip("[]").split(", ")


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_the_parts_of_any_document_are_the_parts_that_a_parser_finds(
    value: object,
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 (drawn)
) -> None:
    text = document(json.dumps(value, indent=indent, ensure_ascii=ascii_only))

    assert "\n" not in text
    if isinstance(value, dict):
        assert {name: json.loads(part) for name, part in members(text).items()} == value
        assert json.loads(joined(members(text))) == value
    if isinstance(value, list):
        assert [json.loads(part) for part in elements(text)] == value


def test_a_pointer_leads_into_objects_only() -> None:
    text = document('{"a/b": {"~": [1, 2]}, "c": null}')

    assert at_pointer(text, "/a~1b/~0") == "[1, 2]"
    assert at_pointer(text, "") == text
    assert at_pointer(text, "/c/d") is None
    assert find(text, ["a/b", "missing"]) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"a": 1} x', '{"a": 1}{"a": 2}', '["\n"]', "[1,]", "[" * 100_000],
    ids=["nothing", "cut off", "followed by a word", "twice", "line break in a string", "comma at the end", "too deep"],
)
def test_what_is_not_one_json_value_is_told_apart(text: str) -> None:
    with pytest.raises(JsonTextError):
        document(text)


def test_bytes_that_are_no_text_stay_what_they_are() -> None:
    text = document(b'[{"a": "\xff\xfe"}]'.decode(errors="surrogateescape"))

    assert elements(text)[0].encode(errors="surrogateescape") == b'{"a": "\xff\xfe"}'


@pytest.mark.parametrize("text", ["1", "-0.50", "1E+9", "true", "false"])
def test_a_literal_can_stand_without_quotes(text: str) -> None:
    assert is_literal(text)


@pytest.mark.parametrize("text", ["", "01", "+1", ".5", "1.", "NaN", "null", "1 ", "1\n", "0x10", "yes"])
def test_what_is_no_literal_keeps_its_quotes(text: str) -> None:
    assert not is_literal(text)
