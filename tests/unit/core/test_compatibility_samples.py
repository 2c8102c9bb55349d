"""The search for rows that refute finds rows at all."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lakehouse_dev import paths
from lakehouse_operator.core.compatibility_samples import samples
from lakehouse_operator.core.compatibility_strings import matching

SCHEMAS = sorted((paths.REPOSITORY / "schemas").glob("*.json"))
PATTERNS = [
    "^a{3}$",
    "^(?:ab|cd)+$",
    r"^\d{4}-\d\d$",
    "^[^a-z]+$",
    r"^\S+@\S+\.[a-z]{2,}$",
    r"^(.)\1$",
    "[0-9]",
    "",
    r"^\w+\W\s\D$",
    "^(?>a+)b*?c$",
    r"^(?i:x)?[\d_]$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_matched_by_several_strings_and_always_by_the_same(pattern: str) -> None:
    found = list(matching(pattern))

    assert found
    assert all(re.search(pattern, text) for text in found)
    assert found == list(matching(pattern))


@pytest.mark.parametrize("pattern", ["(", "^(?=a)b$", "a{1000000000000}"])
def test_a_pattern_that_is_none_or_that_nothing_comes_to_mind_for_has_no_strings(pattern: str) -> None:
    assert list(matching(pattern)) == []


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_most_rows_found_for_a_contract_are_valid_and_use_each_of_its_members(path: Path) -> None:
    schema = json.loads(path.read_text())
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)

    valid: list[Any] = [row for row in samples(schema, schema) if validator.is_valid(row)]

    assert len(valid) > len(schema["properties"])
    assert {name for row in valid for name in row} >= set(schema["properties"])
