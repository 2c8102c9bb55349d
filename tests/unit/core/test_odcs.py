"""Contracts of ours and of the Open Data Contract Standard, there and back."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator

from lakehouse_dev import paths
from lakehouse_operator.cli.documents import odcs_schema
from lakehouse_operator.core.compatibility_proof import contained
from lakehouse_operator.core.odcs_export import Contract, to_odcs
from lakehouse_operator.core.odcs_import import ImportRefusedError, from_odcs

SCHEMAS = sorted((paths.REPOSITORY / "schemas").glob("*.json"))


def there(schema: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    document, notes = to_odcs(Contract(name="orders", schema=schema, owner="shop", compatibility="Full"))
    assert list(Draft201909Validator(odcs_schema()).iter_errors(document)) == []
    return document, list(notes)


def back(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = from_odcs(document)[0]["spec"]["schema"]
    return found


def same(schema: Any) -> Any:
    """Give a schema in a form in which the order of names does not matter."""
    if isinstance(schema, dict):
        ordered = {key: sorted(value) if key == "required" else same(value) for key, value in schema.items()}
        return {**ordered, **({"type": sorted(schema["type"])} if isinstance(schema.get("type"), list) else {})}
    return [same(one) for one in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_contract_of_the_repository_comes_back_as_it_went(path: Path) -> None:
    schema = json.loads(path.read_text())

    assert same(back(there(schema)[0])) == same(schema)


MEMBERS = [
    pytest.param({"type": "string", "pattern": "^a", "minLength": 1}, id="a text"),
    pytest.param({"type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 9}, id="a number that may be null"),
    pytest.param({"type": "number", "x-spark-type": "decimal(10,2)", "x-unit": "EUR"}, id="an amount"),
    pytest.param({"type": "string", "format": "date"}, id="a date"),
    pytest.param({"type": "string", "format": "date-time", "x-spark-type": "timestamp_ntz"}, id="a local time"),
    pytest.param({"type": "string", "enum": ["a", "b"], "x-pii": "high"}, id="allowed values"),
    pytest.param({"type": ["string", "null"], "enum": ["a", None]}, id="allowed values and null"),
    pytest.param({"type": ["string", "null"], "enum": ["a"]}, id="null that no value allows"),
    pytest.param({"type": "array", "items": {"type": ["string", "null"]}, "minItems": 1}, id="a list"),
    pytest.param({"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}}}, id="an object"),
    pytest.param({"type": "object", "additionalProperties": {"type": "string"}}, id="a map"),
    pytest.param({"anyOf": [{"type": "string"}, {"type": "integer"}]}, id="one of two"),
    pytest.param({"type": ["string", "integer"], "not": {"const": 3}}, id="two types"),
    pytest.param(False, id="nothing"),
    pytest.param(True, id="anything"),
    pytest.param({}, id="anything else"),
    pytest.param({"$ref": "#/$defs/size"}, id="a reference"),
]


@pytest.mark.parametrize("required", [True, False], ids=["required", "optional"])
@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_comes_back_as_it_went(member: Any, required: bool) -> None:  # noqa: FBT001  # a table's column
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"m": member},
        **({"required": ["m"]} if required else {}),
        "$defs": {"size": {"type": "integer"}},
        "additionalProperties": False,
    }

    returned = back(there(schema)[0])

    assert contained(schema, returned).proven
    assert contained(returned, schema).proven
    assert same(returned) == same(schema)


def test_a_constant_comes_back_as_the_only_value_there_is() -> None:
    returned = back(there({"type": "object", "properties": {"m": {"type": "string", "const": "a"}}})[0])

    assert returned["properties"]["m"] == {"type": "string", "enum": ["a"]}


def test_what_odcs_has_no_words_for_is_told_with_its_place() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "not": {"const": "x"}}, "b": {"not": {}}},
        "required": ["a", "b"],
        "minProperties": 2,
    }
    document, notes = there(schema)

    assert notes == [
        "/a, /b: `not` has no word in ODCS; kept in customProperties, where no other tool looks",
        "the contract: `minProperties` has no word in ODCS; kept in customProperties, where no other tool looks",
    ]
    assert document["team"] == {"name": "shop"}
    assert document["customProperties"] == [{"property": "compatibility", "value": "Full"}]


VALID = {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["open", "paid"]}}
FOREIGN: dict[str, Any] = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "53581432-6c55-4ba2-a65f-72344a91553a",
    "version": "1.1.0",
    "status": "active",
    "name": "seller_payments",
    "domain": "seller",
    "description": {"purpose": "Payments of sellers.", "usage": "Analysis."},
    "servers": [{"server": "prod", "type": "snowflake", "account": "a", "database": "d", "schema": "s"}],
    "team": [{"username": "ada", "role": "Data Owner"}, {"username": "ben", "role": "steward"}],
    "slaProperties": [{"property": "latency", "value": 4, "unit": "d"}],
    "schema": [
        {
            "name": "Payments 2",
            "quality": [{"metric": "rowCount", "mustBeGreaterThan": 0}],
            "properties": [
                {"name": "txn_id", "logicalType": "string", "primaryKey": True, "primaryKeyPosition": 1},
                {"name": "amount", "logicalType": "number", "physicalType": "NUMERIC(12, 2)", "required": True},
                {"name": "state", "logicalType": "string", "quality": [VALID, {"metric": "nullValues", "mustBe": 0}]},
                {"name": "booked", "logicalType": "timestamp", "logicalTypeOptions": {"format": "yyyy-MM-dd HH:mm:ss"}},
                {"name": "country", "physicalType": "VARCHAR(2)", "classification": "public", "unique": True},
                {"name": "tags", "logicalType": "array", "items": {"logicalType": "string"}},
            ],
        }
    ],
}


def test_a_document_of_somebody_else_becomes_a_contract_and_what_it_does_not_hold_is_told() -> None:
    Draft201909Validator(odcs_schema()).validate(FOREIGN)
    manifest, notes = from_odcs(FOREIGN)

    assert manifest["metadata"] == {"name": "payments-2"}
    assert manifest["spec"]["owner"] == "ada"
    assert manifest["spec"]["schema"] == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "Payments of sellers.",
        "x-keys": ["txn_id"],
        "type": "object",
        "required": ["txn_id", "amount"],
        "properties": {
            "txn_id": {"type": "string"},
            "amount": {"type": "number", "x-spark-type": "decimal(12,2)"},
            "state": {"type": ["string", "null"], "enum": ["open", "paid", None]},
            "booked": {"type": ["string", "null"], "format": "date-time"},
            "country": {},
            "tags": {"type": ["array", "null"], "items": {"type": "string"}},
        },
    }
    told = "\n".join(notes)
    for said in (
        "`domain` has no place",
        "`servers` has no place",
        "`slaProperties` belongs to the pipelines",
        "`description.usage` has no place",
        "the other members of `team` have no place",
        "`schema.quality` belongs to the pipelines",
        "/state: `quality` nullValues belongs to the pipelines",
        "/txn_id: a key must be there",
        "/booked: `logicalTypeOptions.format` has no counterpart",
        "/country: there is no `logicalType`",
        "/country: `classification` public is none of our classes",
        "/country: `unique` belongs to the pipelines",
        "/country: `physicalType` is not used",
    ):
        assert said in told


@pytest.mark.parametrize(
    ("tables", "wanted", "message"),
    [
        pytest.param([], None, "there is: none", id="no table"),
        pytest.param([{"name": "a"}, {"name": "b"}], None, "there is: a, b", id="several tables"),
        pytest.param([{"name": "a"}], "c", "there is: a", id="another table"),
        pytest.param([{"name": "a"}], None, "has no properties", id="an empty table"),
    ],
)
def test_a_document_without_the_one_table_is_refused(tables: list[Any], wanted: str | None, message: str) -> None:
    with pytest.raises(ImportRefusedError, match=message):
        from_odcs({**FOREIGN, "schema": tables}, wanted)
