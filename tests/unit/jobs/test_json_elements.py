"""A JSON document is cut into the texts of its records without changing them."""

import pytest

from lakehouse_jobs.ingest.sources.files.reading import json_elements


@pytest.mark.parametrize(
    ("document", "elements"),
    [
        ('[{"a": 1.50}, {"a":"]"} ]', ['{"a": 1.50}', '{"a":"]"}']),
        ("\ufeff [1e2,\n[2] ]\n", ["1e2", "[2]"]),
        ("[]", []),
        (' {"a": 1} ', ['{"a": 1}']),
        ("", []),
    ],
)
def test_records_keep_their_text(document: str, elements: list[str]) -> None:
    assert json_elements(document) == elements


@pytest.mark.parametrize(
    "document", ["[1", "[1,]", "[1 2]", "[1] x", "[,1]", "{", '{"a": 1} {"a": 2}', "[" * 5000, "nul"]
)
def test_a_document_with_an_error_has_no_records(document: str) -> None:
    assert json_elements(document) is None
