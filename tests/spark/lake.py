"""A source folder and the tables of one test in a real bucket, and the runs between them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from lakehouse_api.run import RunSpec
from lakehouse_dev.s3 import S3
from lakehouse_jobs.ingest.job import Ended, ingest

BUCKET = "lake"
CREDENTIALS_PREFIX = "LAKE"
CRM_CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "schemas" / "crm_accounts.schema.json").read_text()
)
PEOPLE: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "email": {"type": "string", "format": "email"},
    },
}
NOW = "2026-11-24T06:00:00Z"


def store(s3: S3, bucket: str = BUCKET, **changes: Any) -> dict[str, Any]:
    return {
        "bucket": bucket,
        "endpoint": s3.endpoint,
        "region": s3.region,
        "pathStyle": True,
        "credentialsPrefix": CREDENTIALS_PREFIX,
    } | changes


@dataclass(frozen=True, kw_only=True)
class Lake:
    s3: S3
    spark: SparkSession
    prefix: str

    def uri(self, name: str) -> str:
        return f"s3://{BUCKET}/{self.prefix}/{name}"

    def put(self, files: Mapping[str, bytes | str]) -> None:
        for name, data in files.items():
            body = data.encode() if isinstance(data, str) else data
            self.s3.client().put_object(Bucket=BUCKET, Key=f"{self.prefix}/source/{name}", Body=body)

    def delete(self, *names: str) -> None:
        """Delete objects of the test's folder, and what is below those that end in a slash."""
        for name in names:
            for key in self.keys(name):
                self.s3.client().delete_object(Bucket=BUCKET, Key=f"{self.prefix}/{key}")

    def keys(self, below: str) -> list[str]:
        pages = (
            self.s3.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{self.prefix}/{below}")
        )
        return [each["Key"].removeprefix(f"{self.prefix}/") for page in pages for each in page.get("Contents", [])]

    def text(self, name: str) -> str:
        body = self.s3.client().get_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}")["Body"]
        return str(body.read().decode())

    def read(self, name: str) -> Any:
        return json.loads(self.text(name))

    def spec(self, slot: str = "1", attempt: int = 1, **changes: Any) -> RunSpec:
        return RunSpec.model_validate(self.document(slot, attempt, **changes))

    def document(
        self,
        slot: str = "1",
        attempt: int = 1,
        *,
        contract: Mapping[str, Any] = PEOPLE,
        source: Mapping[str, Any] | None = None,
        target: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        files = {"files": {"uri": self.uri("source/"), "format": "csv"} | dict(source or {})}
        table = {
            "table": "bronze.people",
            "uri": self.uri("bronze/people"),
            "quarantineUri": self.uri("bronze/people__quarantine"),
        } | dict(target or {})
        version = hashlib.sha256(json.dumps(contract).encode()).hexdigest()[:12]
        job = {
            "source": files,
            "contract": {"name": "people", "version": version, "schema": contract},
            "target": table,
        } | changes
        return {
            "id": f"ing-people-{slot}-{attempt}-abc",
            "kind": "IngestPipeline",
            "namespace": "crm",
            "name": "people",
            "uid": "uid-1",
            "slot": slot,
            "attempt": attempt,
            "reportUri": self.uri("_runs"),
            "stores": [store(self.s3)],
            "job": job,
        }

    def ingest(self, slot: str = "1", attempt: int = 1, **changes: Any) -> Ended:
        return ingest(self.spark, self.spec(slot, attempt, **changes), NOW)

    def table(self, name: str = "bronze/people") -> DataFrame:
        return self.spark.read.format("delta").load(self.uri(name).replace("s3://", "s3a://"))

    def rows(self, *columns: str) -> list[Any]:
        """Rows of the bronze table, as values of one column or tuples of several, sorted."""
        found = [tuple(row) for row in self.table().select(*columns).collect()]
        return sorted(found if len(columns) > 1 else [each for (each,) in found])

    def refused(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Quarantined rows with path and keyword of their reasons, sorted."""
        rows = self.table("bronze/people__quarantine").select("row", "reasons").collect()
        return sorted((row.row, [(each.path, each.keyword) for each in row.reasons]) for row in rows)


def lines(*texts: str) -> str:
    return "".join(f"{text}\n" for text in texts)
