"""Which contracts can be enforced, as which columns, and what is said of the others."""

from typing import Any

import pytest

from lakehouse_api.columns import ColumnKind
from lakehouse_api.run import ContractSnapshot
from lakehouse_jobs.contract.schema import ContractError, read_contract


def contract(schema: dict[str, Any]) -> ContractSnapshot:
    return ContractSnapshot(name="c", version="v", schema_=schema)


@pytest.mark.parametrize(
    ("definition", "kind", "ddl"),
    [
        ({"type": "string"}, ColumnKind.STRING, "string"),
        ({"type": ["null", "string"], "format": "date-time"}, ColumnKind.TIMESTAMP, "timestamp"),
        ({"type": "string", "format": "date"}, ColumnKind.DATE, "date"),
        ({"type": "integer"}, ColumnKind.BIGINT, "bigint"),
        ({"type": ["integer", "number"]}, ColumnKind.DOUBLE, "double"),
        ({"type": "number", "x-spark-type": "decimal(18, 2)"}, ColumnKind.DECIMAL, "decimal(18,2)"),
        ({"type": "boolean"}, ColumnKind.BOOLEAN, "boolean"),
        ({"type": "object"}, ColumnKind.JSON, "string"),
        ({"type": ["string", "integer"]}, ColumnKind.JSON, "string"),
        (True, ColumnKind.JSON, "string"),
    ],
    ids=str,
)
def test_a_property_becomes_a_column_by_its_type(definition: Any, kind: ColumnKind, ddl: str) -> None:
    (field,) = read_contract(contract({"properties": {"v": definition}})).fields

    assert (field.kind, field.ddl) == (kind, ddl)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "objekt"}, "not a valid JSON Schema"),
        ({"properties": {"a": {"minLength": -1}}}, "not a valid JSON Schema"),
        ({"type": "object"}, "no properties"),
        ({"properties": {"a": {}, "A": {}}}, "only by case"),
        ({"properties": {"_ingest_run": {}}}, "the ingest's own"),
        ({"properties": {"a b": {}}}, "cannot be a column"),
        ({"properties": {"a": {"type": "string", "x-spark-type": "decimal(9,2)"}}}, "decimal(p,s)"),
        ({"properties": {"a": {"type": "number", "x-spark-type": "decimal(39,2)"}}}, "decimal(p,s)"),
        ({"properties": {"a": {"format": "salesforce-id"}}}, "'salesforce-id' cannot be checked"),
        ({"properties": {"a": {"anyOf": [{"format": "uri"}]}}}, "'uri' cannot be checked"),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}}, "points to nothing"),
        ({"properties": {"a": {"$ref": "https://example.com/x.json"}}}, "points to nothing"),
    ],
    ids=str,
)
def test_a_contract_that_cannot_be_enforced_is_refused_in_words(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match="contract c v") as caught:
        read_contract(contract(schema))

    assert words in str(caught.value)


def test_all_problems_of_a_contract_are_told_at_once() -> None:
    with pytest.raises(ContractError) as caught:
        read_contract(contract({"properties": {"a b": {}, "_ingest_x": {"format": "nonsense"}}}))

    assert str(caught.value).count(";") >= 2


def test_references_within_the_contract_and_to_the_specification_are_allowed() -> None:
    schema = {
        "$defs": {"id": {"type": "string"}},
        "properties": {"a": {"$ref": "#/$defs/id"}, "b": {"$ref": "https://json-schema.org/draft/2020-12/schema"}},
    }

    assert len(read_contract(contract(schema)).fields) == 2
