"""Tables of a real PostgreSQL, read once, exactly as they are, whatever happens in between."""

from collections.abc import Iterator
from typing import Any

import pytest

from lakehouse_dev.postgres import Postgres, start_postgres
from tests.spark.lake import Lake
from tests.spark.warehouse import CREDENTIALS, Warehouse

pytestmark = pytest.mark.spark

PEOPLE: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "x-keys": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "changed": {"type": "string", "format": "date-time"},
    },
}
BY_CHANGE = {"cursor": "changed"}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with start_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def warehouse(postgres: Postgres, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    schema = "s" + lake.prefix.rpartition("-")[2].replace("-", "")[-8:] + str(abs(hash(lake.prefix)) % 10**6)
    postgres.run(f"CREATE SCHEMA {schema}")
    yield Warehouse(server=postgres, lake=lake, schema=schema)
    postgres.run(f"DROP SCHEMA {schema} CASCADE")


def people(warehouse: Warehouse, *rows: str) -> None:
    warehouse.run("CREATE TABLE people (id bigint, name text, changed timestamptz)")
    add(warehouse, *rows)


def add(warehouse: Warehouse, *rows: str) -> None:
    warehouse.run(f"INSERT INTO people VALUES {', '.join(rows)}")


def at(second: float) -> str:
    return f"'2026-11-01 00:00:{second:09.6f}+00'"


def test_only_rows_above_the_watermark_are_read(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})", f"(2, 'Bob', {at(2.000001)})")
    first = warehouse.ingest(slot="1", contract=PEOPLE, incremental=BY_CHANGE)
    add(warehouse, f"(3, 'Cy', {at(2.000002)})")
    warehouse.run(f"UPDATE people SET name = 'Eve', changed = {at(3)} WHERE id = 1")

    second = warehouse.ingest(slot="2", contract=PEOPLE, incremental=BY_CHANGE)
    third = warehouse.ingest(slot="3", contract=PEOPLE, incremental=BY_CHANGE)

    assert [each.result.reason for each in (first, second, third)] == ["Ingested", "Ingested", "NoNewRows"]
    assert warehouse.lake.rows("id", "name", "_ingest_batch") == [
        (1, "Ada", 1),
        (1, "Eve", 2),
        (2, "Bob", 1),
        (3, "Cy", 2),
    ]
