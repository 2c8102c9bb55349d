"""Which contracts can be enforced, as which columns, and what is said of the others."""

import json
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.columns import ColumnKind
from lakehouse_api.run import ContractSnapshot
from lakehouse_dev import paths
from lakehouse_jobs.contract.schema import ContractError, read_contract


def contract(schema: dict[str, Any]) -> ContractSnapshot:
    return ContractSnapshot(name="c", version="v", schema_=schema)


PLACE = {"type": "object", "properties": {"zip": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}}


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
        ({"type": "string", "x-spark-type": "timestamp_ntz"}, ColumnKind.LOCAL, "timestamp_ntz"),
        ({"$ref": "#/$defs/place"}, ColumnKind.STRUCT, "struct<`zip`:string,`at`:timestamp>"),
        (
            {"anyOf": [{"$ref": "#/$defs/place"}, {"type": "null"}]},
            ColumnKind.STRUCT,
            "struct<`zip`:string,`at`:timestamp>",
        ),
        ({"allOf": [{"type": "integer"}, {"minimum": 1}]}, ColumnKind.BIGINT, "bigint"),
        (
            {"type": "array", "items": {"$ref": "#/$defs/place"}},
            ColumnKind.ARRAY,
            "array<struct<`zip`:string,`at`:timestamp>>",
        ),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, ColumnKind.MAP, "map<string,boolean>"),
        ({"type": "array"}, ColumnKind.JSON, "string"),
        ({"type": "array", "prefixItems": [{}], "items": {"type": "string"}}, ColumnKind.JSON, "string"),
        ({"type": "object", "properties": {"a b": {}}}, ColumnKind.JSON, "string"),
        ({"type": "object", "properties": {"a": {}, "A": {}}}, ColumnKind.JSON, "string"),
        ({"type": "object", "properties": {"a": {}}, "patternProperties": {"^x": {}}}, ColumnKind.JSON, "string"),
        (
            {"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}},
            ColumnKind.JSON,
            "string",
        ),
        ({"type": "object", "properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}]}, ColumnKind.JSON, "string"),
        (True, ColumnKind.JSON, "string"),
    ],
    ids=str,
)
def test_a_property_becomes_a_column_by_its_type(definition: Any, kind: ColumnKind, ddl: str) -> None:
    (field,) = read_contract(contract({"properties": {"v": definition}, "$defs": {"place": PLACE}})).fields

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
        ({"properties": {"a": {"type": "string", "x-spark-type": "date"}}}, "timestamp_ntz beside type string"),
        ({"properties": {"a": {"items": {"type": "string", "x-spark-type": "decimal(9,2)"}}}}, "decimal(p,s)"),
        ({"properties": {"a": {"x-pii": True}}}, "x-pii must be one of none, low, high, not True"),
        ({"properties": {"a": {"properties": {"b": {"x-unit": ""}}}}}, "x-unit must be a text"),
        ({"properties": {"a": {}}, "x-owner": ["crm"]}, "x-owner must be the name"),
        ({"properties": {"a": {}}, "x-keys": "a"}, "x-keys must be a list"),
        (
            {"properties": {"a": {}}, "required": ["a"], "x-keys": ["a", "a"]},
            "x-keys must be a list of different names",
        ),
        ({"properties": {"a": {}}, "x-keys": ["b"]}, "x-keys names 'b', which is no property"),
        ({"properties": {"a": {}}, "x-keys": ["a"]}, "x-keys names 'a', which is not required"),
        ({"properties": {"a\ud800": {}}}, "cannot be a column"),
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


def test_references_are_written_out_but_for_those_that_lead_back_to_themselves() -> None:
    schema = {
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {"child": {"$ref": "#/$defs/tree"}, "name": {"$ref": "#/$defs/name"}},
            },
            "name": {"type": "string"},
        },
        "properties": {"a": {"$ref": "#/$defs/tree"}, "b": {"$ref": "#/$defs/name", "maxLength": 3}},
    }

    tree, name = read_contract(contract(schema)).fields

    assert [(each.name, each.ddl) for each in tree.members] == [("child", "string"), ("name", "string")]
    assert tree.members[0].schema == {"$ref": "#/$defs/tree"}
    assert name.schema == {"maxLength": 3, "allOf": [{"type": "string"}]}


def test_references_that_double_at_every_step_end_somewhere() -> None:
    steps = {f"d{step}": {"properties": {key: {"$ref": f"#/$defs/d{step + 1}"} for key in "ab"}} for step in range(40)}
    schema = {"$defs": {**steps, "d40": {}}, "properties": {"a": {"$ref": "#/$defs/d0"}}}

    assert len(read_contract(contract(schema)).fields) == 1


@pytest.mark.parametrize("path", sorted((paths.REPOSITORY / "schemas").glob("*.json")), ids=lambda path: path.stem)
def test_the_contracts_of_the_repository_can_be_enforced(path: Path) -> None:
    found = read_contract(contract(json.loads(path.read_text())))

    assert path.name == f"{found.schema['$id'].rpartition('/')[2]}"
    assert not [field.name for field in found.fields if field.kind is ColumnKind.JSON]
    assert found.schema["x-owner"]
    assert found.schema["x-keys"]
