"""What the guide to merging changes says: its pipeline, and its queries."""

import json
from typing import Any

import pytest
import yaml

from tests.guides import blocks_of, queries
from tests.spark.lake import Lake, lines

pytestmark = pytest.mark.spark

(PIPELINE,) = (yaml.safe_load(block.text) for block in blocks_of("merge-changes.md") if block.language == "yaml")
VIEW, QUERIES = queries("merge-changes.md")
CHANGES = (
    {"Id": "1", "Name": "Ada", "SystemModstamp": "2026-10-01T00:00:00Z"},
    {"Id": "1", "Name": "Ada L", "SystemModstamp": "2026-11-10T00:00:00Z"},
    {"Id": "2", "Name": "Bob", "SystemModstamp": "2026-10-01T00:00:00Z"},
    {"Id": "2", "IsDeleted": True, "SystemModstamp": "2026-11-10T00:00:00Z"},
)


def ingested(lake: Lake, **merge: Any) -> None:
    spec = PIPELINE["spec"]
    target = {"merge": spec["target"]["merge"] | merge, "intoUri": lake.uri("silver/crm_accounts")}
    lake.put({"1.ndjson": lines(*map(json.dumps, CHANGES))})
    lake.ingest(contract=spec["contract"]["schema"], source={"format": "ndjson"}, target=target)


def asked(lake: Lake, sql: str) -> list[str]:
    table = lake.uri("silver/crm_accounts").replace("s3://", "s3a://")
    rows = lake.spark.sql(sql.replace("s3://lake/warehouse/silver/crm_accounts", table)).collect()
    return sorted(row.Name for row in rows)


def test_the_view_of_the_guide_shows_what_is(lake: Lake) -> None:
    ingested(lake)

    assert asked(lake, VIEW[VIEW.index("SELECT") :]) == ["Ada L"]


def test_the_queries_of_the_guide_show_what_is_and_what_was(lake: Lake) -> None:
    ingested(lake, history="Scd2")

    now, then = QUERIES.split(";")
    assert asked(lake, now) == ["Ada L"]
    assert asked(lake, then) == ["Ada", "Bob"]
