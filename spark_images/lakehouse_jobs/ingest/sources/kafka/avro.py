"""Avro messages as JSON texts. Runs in Spark's workers.

The instance that a record stands for is the one that a row of a Parquet file stands for: a field that is null is a
missing member (in an array or map it is a null); a decimal is a number with all its digits; a date is its text, a time
the text in UTC, a local time the text without a zone; bytes and fixed are base64; records and maps are objects.
"""

import base64
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NamedTuple
from uuid import UUID

import fastavro
from fastavro.types import Schema

WIRE_BYTES: Final = 5
"""A message begins with a zero byte and the schema's id in four."""

Schemas = Mapping[str, Sequence[str]]


class Decoded(NamedTuple):
    """The message as JSON, or what is wrong with it, as "Keyword: message"."""

    text: str | None
    flaw: str | None


def decoder(schemas: Schemas) -> Callable[[bytes | None], Decoded]:
    """Give the function that decodes messages whose schemas these are."""
    texts = {int(number): tuple(each) for number, each in schemas.items()}

    def decode(message: bytes | None) -> Decoded:
        if message is None:
            return Decoded(None, None)
        if len(message) < WIRE_BYTES or message[0] != 0:
            return _flawed("Malformed: it does not begin with a zero byte and the id of a schema")
        number = int.from_bytes(message[1:WIRE_BYTES], "big")
        if number not in texts:
            return _flawed(f"UnknownSchema: the registry has no Avro schema with id {number}")
        return _decoded(texts[number], number, message)

    return decode


def _decoded(texts: tuple[str, ...], number: int, message: bytes) -> Decoded:
    try:
        schema = parsed(texts)
    except Exception as error:  # noqa: BLE001 (whatever the package says about a schema, the message cannot be read)
        return _flawed(f"UnknownSchema: schema {number} cannot be used: {error}")
    stream = io.BytesIO(message[WIRE_BYTES:])
    try:
        value = fastavro.schemaless_reader(stream, schema, None)
    except Exception as error:  # noqa: BLE001 (bytes that are no record raise what the package happens to run into)
        return _flawed(f"Malformed: no record of schema {number}: {str(error) or type(error).__name__}")
    rest = len(message) - WIRE_BYTES - stream.tell()
    if rest:
        return _flawed(f"Malformed: {rest} bytes follow the record of schema {number}")
    try:
        return Decoded(json_text(value), None)
    except (ValueError, RecursionError) as error:
        return _flawed(f"Unrepresentable: {error}")


def _flawed(flaw: str) -> Decoded:
    return Decoded(None, flaw)


@lru_cache(maxsize=1024)
def parsed(texts: tuple[str, ...]) -> Schema:
    """Parse a schema, given by its text after the texts of those it refers to."""
    named: dict[str, dict[Any, Any]] = {}
    for text in texts[:-1]:
        fastavro.parse_schema(json.loads(text), named_schemas=named)
    return fastavro.parse_schema(json.loads(texts[-1]), named_schemas=named)


def json_text(value: Any) -> str:
    """Write a decoded value as JSON; raise ValueError for what JSON cannot say."""
    match value:
        case dict():
            members = ((key, each) for key, each in value.items() if each is not None)
            return "{" + ",".join(f"{json.dumps(key)}:{json_text(each)}" for key, each in members) + "}"
        case list() | tuple():
            return "[" + ",".join(map(json_text, value)) + "]"
        case Decimal():
            return str(value)
        case float() if not isfinite(value):
            raise ValueError(f"{value} is no number of JSON")
        case bytes():
            return json.dumps(base64.b64encode(value).decode())
        case datetime() | date() | time() | UUID():
            return json.dumps(_moment(value))
        case _:
            return json.dumps(value, ensure_ascii=False)


def _moment(value: datetime | date | time | UUID) -> str:
    if not isinstance(value, datetime):
        return value.isoformat() if isinstance(value, date | time) else str(value)
    local = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return local.isoformat(timespec="microseconds") + ("Z" if value.tzinfo else "")
