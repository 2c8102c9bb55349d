"""Avro messages are read by the schema each was written with, kept with the plan."""

import io
import json
from base64 import b64encode
from decimal import Decimal
from typing import Any

import fastavro
import pytest

from lakehouse_api.run import ExitCode
from lakehouse_dev.schema_registry import Registry
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from tests.spark.stream import Stream

pytestmark = pytest.mark.spark

MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
FIRST = {"type": "record", "name": "Person", "fields": [{"name": "id", "type": "long"}]}
SECOND = FIRST | {
    "fields": [
        *FIRST["fields"],
        {"name": "seen", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": None},
        {"name": "paid", "type": ["null", MONEY], "default": None},
    ]
}
CONTRACT = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "seen": {"type": "string", "format": "date-time"},
        "paid": {"type": "number", "x-spark-type": "decimal(12,2)"},
    },
}


def encoded(schema: Any, number: int, **value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return b"\0" + number.to_bytes(4, "big") + stream.getvalue()


def avro(registry: Registry) -> dict[str, Any]:
    return {"format": "avro", "schemaRegistry": {"url": registry.url}}


def test_messages_of_two_schema_versions_and_poison_ones_in_one_batch(stream: Stream, registry: Registry) -> None:
    subject = f"{stream.topic}-value"
    first, second = (registry.register(subject, json.dumps(each)) for each in (FIRST, SECOND))
    good = encoded(SECOND, second, id=2, seen=1764000000123, paid=Decimal("1234567890.12"))
    unknown = b"\0\x7f\xff\xff\xff" + good[5:]
    stream.send(encoded(FIRST, first, id=1), good, encoded(FIRST, first, id=0), unknown, good[:-1], None, b"{}")

    ended = stream.ingest(contract=CONTRACT, kafka=avro(registry))

    assert (ended.result.metrics["rowsWritten"], ended.result.metrics["rowsQuarantined"]) == (2, 5)
    rows = stream.lake.table().select("id", "paid", "seen").orderBy("id").collect()
    assert [(row.id, row.paid) for row in rows] == [(1, None), (2, Decimal("1234567890.12"))]
    assert rows[1].seen.isoformat() == "2025-11-24T16:00:00.123000"
    assert dict(stream.refused()) == {
        '{"id":0}': ["minimum"],
        b64encode(unknown).decode(): ["UnknownSchema"],
        b64encode(good[:-1]).decode(): ["Malformed"],
        b64encode(b"{}").decode(): ["Malformed"],
        "{}": ["Tombstone"],
    }
    assert set(stream.plan(1)["schemas"]) == {str(first), str(second)}


def test_a_retry_decodes_by_the_plan_even_if_the_registry_is_gone(
    stream: Stream, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    number = registry.register(f"{stream.topic}-value", json.dumps(FIRST))
    stream.send(encoded(FIRST, number, id=1))
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            stream.ingest(contract=CONTRACT, kafka=avro(registry))
    registry.pause()
    try:
        stream.ingest(attempt=2, contract=CONTRACT, kafka=avro(registry))
    finally:
        registry.resume()

    assert stream.lake.rows("id") == [1]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "{registry}/nowhere"])
def test_a_registry_that_is_down_or_none_is_asked_again(stream: Stream, registry: Registry, url: str) -> None:
    stream.send(encoded(FIRST, 1, id=1))
    told = {"format": "avro", "schemaRegistry": {"url": url.format(registry=registry.url)}}

    with pytest.raises(JobError) as caught:
        stream.ingest(contract=CONTRACT, kafka=told)

    assert (caught.value.reason, caught.value.code) == ("RegistryUnavailable", ExitCode.UNAVAILABLE)
    assert "schemaRegistry.url" in caught.value.message
    assert stream.lake.keys("bronze/people/_ingest") == []
