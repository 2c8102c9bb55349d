"""Avro messages become the JSON that the record means, or one reason why they cannot."""

import io
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse_jobs.ingest.sources.kafka.avro import decoder

Schema = dict[str, Any]


def record(*fields: tuple[str, Any], name: str = "R") -> Schema:
    return {"type": "record", "name": name, "fields": [{"name": each, "type": kind} for each, kind in fields]}


def message(schema: Schema, value: Any, number: int = 7) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return b"\0" + number.to_bytes(4, "big") + stream.getvalue()


def decoded(schema: Schema, value: Any) -> Any:
    found = decoder({"7": [json.dumps(schema)]})(message(schema, value))
    assert found.flaw is None
    assert found.text is not None
    return json.loads(found.text, parse_float=Decimal)


@pytest.mark.parametrize(
    ("kind", "value", "want"),
    [
        pytest.param("long", 2**63 - 1, 2**63 - 1, id="a long"),
        pytest.param("double", 0.1, Decimal("0.1"), id="a double"),
        pytest.param("bytes", b"\xff\0", "/wA=", id="bytes"),
        pytest.param({"type": "fixed", "name": "F", "size": 2}, b"ab", "YWI=", id="fixed bytes"),
        pytest.param({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B", id="a symbol"),
        pytest.param({"type": "array", "items": ["null", "int"]}, [1, None], [1, None], id="a list with a null"),
        pytest.param({"type": "map", "values": "string"}, {'"k"': "é\n"}, {'"k"': "é\n"}, id="a map"),
        pytest.param(["int", "string"], "7", "7", id="a choice of types"),
        pytest.param(record(("x", "int"), name="N"), {"x": 1}, {"x": 1}, id="a record"),
        pytest.param(
            {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2},
            Decimal("1234567890123456789012345678.90"),
            Decimal("1234567890123456789012345678.90"),
            id="a decimal of more digits than a float has",
        ),
        pytest.param(
            {"type": "long", "logicalType": "timestamp-millis"},
            datetime(2026, 11, 24, 6, 0, 0, 123000, tzinfo=UTC),
            "2026-11-24T06:00:00.123000Z",
            id="milliseconds",
        ),
        pytest.param(
            {"type": "long", "logicalType": "timestamp-micros"},
            datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            "1969-12-31T23:59:59.999999Z",
            id="microseconds before 1970",
        ),
        pytest.param(
            {"type": "long", "logicalType": "local-timestamp-micros"},
            datetime(2026, 11, 24, 6),  # noqa: DTZ001 (a local time has no zone)
            "2026-11-24T06:00:00.000000",
            id="a local time",
        ),
        pytest.param({"type": "int", "logicalType": "date"}, date(2026, 2, 28), "2026-02-28", id="a date"),
        pytest.param({"type": "int", "logicalType": "time-millis"}, time(6, 30), "06:30:00", id="a time of day"),
        pytest.param({"type": "string", "logicalType": "uuid"}, UUID(int=1), str(UUID(int=1)), id="a UUID"),
    ],
)
def test_a_value_is_what_it_means(kind: Any, value: Any, want: Any) -> None:
    assert decoded(record(("v", kind)), {"v": value}) == {"v": want}


def test_a_field_that_is_null_is_a_missing_member() -> None:
    assert decoded(record(("a", ["null", "int"]), ("b", "int")), {"a": None, "b": 2}) == {"b": 2}


def test_a_schema_finds_those_it_refers_to() -> None:
    address, person = record(("city", "string"), name="Address"), record(("id", "int"), ("home", "Address"))
    whole = record(("id", "int"), ("home", address))

    found = decoder({"7": [json.dumps(address), json.dumps(person)]})(
        message(whole, {"id": 1, "home": {"city": "Köln"}})
    )

    assert json.loads(found.text or "") == {"id": 1, "home": {"city": "Köln"}}


PERSON = record(("id", "long"), ("name", "string"))
GOOD = message(PERSON, {"id": 1, "name": "Ada"})


@pytest.mark.parametrize(
    ("raw", "flaw"),
    [
        pytest.param(b"", "Malformed: it does not begin", id="nothing"),
        pytest.param(b'{"id": 1}', "Malformed: it does not begin", id="JSON"),
        pytest.param(b"\0\0\0\0", "Malformed: it does not begin", id="half a head"),
        pytest.param(GOOD[:-1], "Malformed: no record of schema 7", id="a record cut short"),
        pytest.param(GOOD + b"x", "Malformed: 1 bytes follow", id="a record and more"),
        pytest.param(b"\0\0\0\0\x08" + GOOD[5:], "UnknownSchema: the registry has no Avro schema with id 8", id="id"),
        pytest.param(b"\0\0\0\0\x09" + GOOD[5:], "UnknownSchema: schema 9 cannot be used", id="an impossible schema"),
        pytest.param(GOOD[:7] + b"\xff\xff\xff", "Malformed: no record of schema 7", id="no text"),
    ],
)
def test_a_poison_message_has_a_reason(raw: bytes, flaw: str) -> None:
    found = decoder({"7": [json.dumps(PERSON)], "9": ['{"type": "nothing"}']})(raw)

    assert found.text is None
    assert (found.flaw or "").startswith(flaw)


def test_numbers_that_json_has_not_are_no_row() -> None:
    schema = record(("v", "double"))

    found = decoder({"7": [json.dumps(schema)]})(message(schema, {"v": float("nan")}))

    assert (found.flaw or "").startswith("Unrepresentable")


def test_a_tombstone_has_neither_text_nor_flaw() -> None:
    assert decoder({})(None) == (None, None)


@given(st.binary(max_size=60))
def test_no_bytes_at_all_end_a_batch(raw: bytes) -> None:
    found = decoder({"7": [json.dumps(PERSON)]})(b"\0\0\0\0\x07" + raw)

    assert (found.text is None) != (found.flaw is None)
