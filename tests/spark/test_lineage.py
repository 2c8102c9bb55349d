"""What an endpoint hears of real runs: every event is held to OpenLineage's schemas when it arrives."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lakehouse_api.lineage import KEY_VARIABLE
from lakehouse_api.run import RunResult, RunSpec
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.job import ingest
from lakehouse_jobs.lineage.telling import Telling
from lakehouse_jobs.reporting import failed
from tests.lineage_endpoint import LineageEndpoint, problems
from tests.spark.lake import NOW, Lake, lines

pytestmark = pytest.mark.spark

KEY = "key-of-the-endpoint"
MERGE = {"merge": {"keys": ["id"], "sequenceBy": ["_ingest_time"], "into": "silver.people"}}
EXPECTED = [{"name": "named", "expression": "name <> 'Bob'"}]


@pytest.fixture
def endpoint() -> Iterator[LineageEndpoint]:
    with LineageEndpoint() as running:
        yield running


def run(lake: Lake, endpoint: LineageEndpoint, slot: str = "1", *, namespace: str = "dev", **changes: Any) -> RunResult:
    """Do what the job's process does with one run."""
    document = lake.document(slot, **changes) | {"lineage": endpoint.settings(namespace=namespace)}
    asked = RunSpec.model_validate(document)
    telling = Telling.begin(asked, {KEY_VARIABLE: KEY}, NOW)
    try:
        ended = ingest(lake.spark, asked, NOW)
    except JobError as failure:
        return telling.failed(lake.spark, failed(failure), failure, NOW)
    return telling.completed(lake.spark, ended.result, ended.batches, NOW)


def statistics(dataset: dict[str, Any]) -> tuple[int, ...]:
    found = dataset["outputFacets"]["outputStatistics"]
    return tuple(found[key] for key in ("rowCount", "fileCount", "size"))


def added(lake: Lake, table: str, version: str) -> tuple[int, int]:
    """Give how many files, of how many bytes, a version of a table added, by its log."""
    log = lake.text(f"{table}/_delta_log/{int(version):020}.json").splitlines()
    sizes = [json.loads(line)["add"]["size"] for line in log if '"add"' in line[:6]]
    return len(sizes), sum(sizes)


def test_a_run_tells_what_it_did_and_the_next_one_that_there_was_nothing(lake: Lake, endpoint: LineageEndpoint) -> None:
    lake.put({"a.csv": lines("id,name,email", "1,Ada,ada@example.com", "2,Bob,", "x,Eve,")})
    target = {**MERGE, "intoUri": lake.uri("silver/people")}

    results = [run(lake, endpoint, slot, target=target, expectations=EXPECTED) for slot in ("1", "2")]

    assert [result.reason for result in results] == ["Ingested", "NoNewFiles"]
    assert ["lineageEventsLost" in result.metrics for result in results] == [False, False]
    assert endpoint.told() == ["START", "COMPLETE", "START", "COMPLETE"]
    assert set(endpoint.keys) == {f"Bearer {KEY}"}
    _require_told(lake, endpoint.events[1])
    idle = endpoint.events[3]
    assert [statistics(each)[:2] for each in idle["outputs"]] == [(0, 0)] * 3
    assert idle["outputs"][0]["facets"]["version"] == endpoint.events[1]["outputs"][0]["facets"]["version"]


def _require_told(lake: Lake, event: dict[str, Any]) -> None:
    source, kept = event["inputs"]
    bronze, quarantine, silver = event["outputs"]
    assert source["name"] == f"{lake.prefix}/source"
    assert kept["name"] == bronze["name"] == f"{lake.prefix}/bronze/people"
    for dataset, table, rows in ((bronze, "bronze/people", 2), (quarantine, "bronze/people__quarantine", 1)):
        version = dataset["facets"]["version"]["datasetVersion"]
        assert statistics(dataset) == (rows, *added(lake, table, version))
    assert statistics(silver)[0] == 2
    for dataset, table in ((bronze, "bronze/people"), (silver, "silver/people")):
        fields = [(each["name"], each["type"]) for each in dataset["facets"]["schema"]["fields"]]
        assert fields == [(each.name, each.dataType.simpleString()) for each in lake.table(table).schema]
    checked = source["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert {(each["assertion"], each["success"], each.get("column")) for each in checked} == {
        ("contract", False, None),
        ("type", False, "id"),
        ("custom_sql", False, None),
    }


def test_a_run_whose_endpoint_is_lost_fails_by_its_own_reason_and_keeps_its_events(
    lake: Lake, endpoint: LineageEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    lake.put({"a.csv": lines("id,name", "1,Bob")})
    endpoint.status = 503

    result = run(lake, endpoint, expectations=[{**EXPECTED[0], "onViolation": "Fail"}])

    assert (result.outcome, result.reason) == ("Failed", "ExpectationFailed")
    assert result.metrics == {"lineageEventsLost": 2}
    lost = (
        f"Lineage: 2 events of the run were not taken by {endpoint.url}: it answers HTTP 503; kept beside its report."
    )
    assert result.message.endswith(lost)
    assert KEY not in caplog.text + result.message
    kept = [json.loads(line) for line in lake.text("_runs/ing-people-1-1-abc.lineage.ndjson").splitlines()]
    assert [event["eventType"] for event in kept] == ["START", "FAIL"]
    assert [found for event in kept for found in problems(event)] == []
    (checked,) = kept[1]["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (checked["name"], checked["success"], checked["severity"]) == ("named", False, "error")
