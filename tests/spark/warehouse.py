"""A real PostgreSQL as the source of a test's lake, and how a job names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse_api.run import RunSpec
from lakehouse_dev.postgres import OWNER, PASSWORD, Postgres
from lakehouse_jobs.ingest.job import Ended, ingest
from tests.spark.lake import NOW, Lake

CREDENTIALS = {"LAKEHOUSE_SOURCE_USERNAME": OWNER, "LAKEHOUSE_SOURCE_PASSWORD": PASSWORD}


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """A schema of the test's own in the server, and the lake of the test."""

    server: Postgres
    lake: Lake
    schema: str

    def run(self, *statements: str) -> None:
        self.server.run(f"SET search_path TO {self.schema}", *statements)

    def source(self, table: str | None = "people", **changes: Any) -> dict[str, Any]:
        named = f"{self.schema}.{table}" if table else None
        told = {"dialect": "postgres", "url": self.server.url, "table": named} | changes
        return {"jdbc": {key: value for key, value in told.items() if value is not None}}

    def spec(self, slot: str = "1", attempt: int = 1, *, source: Mapping[str, Any], **job: Any) -> RunSpec:
        document = self.lake.document(slot, attempt, **job)
        document["job"]["source"] = source
        return RunSpec.model_validate(document)

    def ingest(
        self, slot: str = "1", attempt: int = 1, *, source: Mapping[str, Any] | None = None, **job: Any
    ) -> Ended:
        spec = self.spec(slot, attempt, source=source or self.source(), **job)
        return ingest(self.lake.spark, spec, NOW)
