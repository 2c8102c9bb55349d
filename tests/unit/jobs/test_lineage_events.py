"""Events as values: each is held to OpenLineage's own schemas, and says what the run did."""

from typing import Any
from uuid import UUID

import pytest
from pyspark.sql.types import LongType, StringType, StructType

from lakehouse_api.catalog import Registration
from lakehouse_api.enforcement import ExpectationResult
from lakehouse_api.lineage import Untold
from lakehouse_api.run import RunResult, RunSpec
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.tables import PROVENANCE
from lakehouse_jobs.lineage.events import Events
from lakehouse_jobs.lineage.seen import Seen, TableSeen
from tests.lineage_endpoint import problems

AT = "2026-11-24T06:00:00Z"
CONTRACT = {
    "type": "object",
    "title": "People",
    "x-owner": "crm-team",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer", "description": "Of the CRM."},
        "name": {"type": "string", "x-pii": "low"},
        "seen": {"type": "string", "format": "date-time"},
        "any": {},
        "home": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Where.", "x-pii": "high"}},
        },
    },
}
EXPECTATIONS = [
    {"name": "ids-once", "unique": ["id"], "onViolation": "Quarantine"},
    {"name": "named", "expression": "name <> ''"},
    {"name": "enough", "rowCount": {"min": 10}, "onViolation": "Fail"},
    {"name": "known", "reference": {"columns": ["id"], "table": "bronze.ids"}},
    {"name": "new", "maxAge": {"column": "seen", "age": "1h"}},
    {"name": "full", "nullShare": {"column": "name", "max": 0.5}},
]
FILES = {"files": {"uri": "s3://landing/people/", "format": "csv"}}
COLUMNS = StructType().add("id", LongType()).add("home", StructType().add("city", StringType())).add("extra", "string")
SEEN = Seen(
    target=TableSeen(version=8, columns=StructType([*COLUMNS, *PROVENANCE]), files=2, size=900),
    quarantine=TableSeen(version=3, files=1, size=100),
    merged=TableSeen(version=5, columns=COLUMNS),
)
BATCH = BatchOutcome(
    batch=1,
    run="ing-people",
    rows_read=12,
    rows_written=10,
    rows_quarantined=2,
    files_read=1,
    bytes_read=500,
    table_version=7,
    quarantine_version=3,
    refusals=[
        {"path": "/home/city", "keyword": "type", "rows": 1},
        {"path": "", "keyword": "Malformed", "rows": 1},
        {"path": "", "keyword": "Expectation", "rows": 1},
    ],
    expectations=[
        {"name": "ids-once", "outcome": "Quarantined", "rows": 1},
        {"name": "named", "outcome": "Warned", "rows": 3},
        {"name": "enough", "outcome": "Met", "found": "10 rows"},
    ],
)
DONE = RunResult(outcome="Succeeded", reason="Ingested", message="12 rows")


def spec(slot: str = AT, attempt: int = 1, **job: Any) -> RunSpec:
    target = {
        "table": "bronze.people",
        "uri": "s3://lake/bronze/people",
        "quarantineUri": "s3://lake/bronze/people__quarantine",
    } | job.pop("target", {})
    return RunSpec.model_validate(
        {
            "id": f"ing-people-{attempt}",
            "kind": "IngestPipeline",
            "namespace": "crm",
            "name": "people",
            "uid": "uid-1",
            "slot": slot,
            "attempt": attempt,
            "reportUri": "s3://lake/_runs/crm/ingestpipelines/people",
            "stores": [],
            "job": {
                "source": FILES,
                "contract": {"name": "people", "version": "0123456789ab", "schema": CONTRACT},
                "expectations": EXPECTATIONS,
                "references": {"bronze.ids": "s3://lake/bronze/ids"},
                "target": target,
                **job,
            },
        }
    )


def events(run: RunSpec) -> Events:
    return Events(run=run, namespace="prod-eu")


def completed(run: RunSpec, *batches: BatchOutcome, seen: Seen = SEEN, result: RunResult = DONE) -> dict[str, Any]:
    event = events(run).completed(AT, result, batches, seen)
    assert problems(event) == []
    return event


def names(datasets: list[dict[str, Any]]) -> list[str]:
    return [f"{each['namespace']}/{each['name']}" for each in datasets]


def origins(dataset: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Give, by column, the field that it comes from and how; every column of these tests has one."""
    fields = dataset["facets"]["columnLineage"]["fields"]
    found = {column: each["inputFields"][0] for column, each in fields.items()}
    return {column: (each["field"], each["transformations"][0]["subtype"]) for column, each in found.items()}


MERGE = {"merge": {"keys": ["id"], "sequenceBy": ["seen"]}}
INTO = {"merge": {**MERGE["merge"], "into": "silver.people"}, "intoUri": "s3://lake/silver/people"}
REPLAY = {"verb": "replay"}


@pytest.mark.parametrize(
    "job",
    [
        pytest.param({}, id="files"),
        pytest.param({"target": INTO}, id="changes that are kept and merged"),
        pytest.param({"target": {"mode": "Merge", **MERGE}}, id="changes that are merged"),
        pytest.param({"target": {"mode": "Overwrite"}}, id="a table that is replaced"),
        pytest.param({"quarantine": REPLAY}, id="a replay"),
        pytest.param({"quarantine": {"verb": "discard", "because": "old"}}, id="rows that are discarded"),
        pytest.param({"quarantine": {"verb": "inspect"}}, id="an inspection"),
        pytest.param({"contract": {"name": "c", "version": "1", "schema": {"type": "string"}}}, id="no contract"),
        pytest.param(
            {"source": {"jdbc": {"dialect": "postgres", "url": "jdbc:postgresql://db/shop", "query": "SELECT 1"}}},
            id="a query",
        ),
    ],
)
@pytest.mark.parametrize("batches", [pytest.param((), id="nothing new"), pytest.param((BATCH,), id="a batch")])
def test_every_event_is_what_its_schema_asks_for(job: dict[str, Any], batches: tuple[BatchOutcome, ...]) -> None:
    run = spec(**job)
    result = RunResult(outcome="Failed", reason="DataRefused", message="no")
    untold = Untold(id="ing-0", slot="run-now:x", attempt=1, ended_at=AT, reason="OutOfMemory", message="raise it")

    told = [events(run).started(AT), events(run).failed(AT, result, BATCH.expectations), events(run).untold(untold)]

    assert [found for event in told for found in problems(event)] == []
    completed(run, *batches)
    completed(run, *batches, seen=Seen())


def test_a_start_says_what_will_be_read_and_written() -> None:
    event = events(spec(target=INTO)).started(AT)

    assert event["eventType"] == "START"
    assert (event["job"]["namespace"], event["job"]["name"]) == ("prod-eu", "crm.ingestpipeline.people")
    assert names(event["inputs"]) == ["s3://landing/people", "s3://lake/bronze/ids"]
    assert names(event["outputs"]) == ["s3://lake/bronze/people", "s3://lake/silver/people"]
    assert event["job"]["facets"]["ownership"]["owners"] == [{"name": "crm-team", "type": "OWNER"}]


def test_a_run_is_named_by_its_attempt_alone() -> None:
    told = [
        events(spec(attempt=attempt)).started(at) for attempt, at in ((1, AT), (1, "2027-01-01T00:00:00Z"), (2, AT))
    ]
    first, again, retry = (event["run"]["runId"] for event in told)

    assert first == again
    assert retry != first
    assert UUID(first).version == 5


def test_the_next_attempt_tells_of_one_that_could_not_under_that_ones_id() -> None:
    lost = Untold(id="ing-people-1", slot=AT, attempt=1, ended_at=AT, reason="OutOfMemory", message="raise it")

    event = events(spec(attempt=2)).untold(lost)

    assert event["eventType"] == "FAIL"
    assert event["run"]["runId"] == events(spec(attempt=1)).started(AT)["run"]["runId"]
    assert event["run"]["facets"]["errorMessage"]["message"] == "OutOfMemory: raise it"


@pytest.mark.parametrize(
    ("slot", "nominal"),
    [
        pytest.param(AT, AT, id="a minute of the schedule is when the run was due"),
        pytest.param("run-now:2026", None, id="a run that a person asked for was due at no time"),
    ],
)
def test_the_nominal_time_is_the_slot(slot: str, nominal: str | None) -> None:
    facets = events(spec(slot)).started(AT)["run"]["facets"]

    assert facets.get("nominalTime", {}).get("nominalStartTime") == nominal
    assert {"key": "slot", "value": slot, "source": "LAKEHOUSE"} in facets["tags"]["tags"]


def test_a_run_that_reads_a_range_again_says_which() -> None:
    again = spec(backfill={"from": "2026-01-01", "until": "2026-02-01"})

    tags = events(again).started(AT)["run"]["facets"]["tags"]["tags"]

    assert {"key": "backfill", "value": "from 2026-01-01 to 2026-02-01", "source": "LAKEHOUSE"} in tags


def test_a_completed_run_tells_schema_version_and_amounts_of_the_table() -> None:
    event = completed(spec(), BATCH)
    bronze, quarantine = event["outputs"]
    facets = bronze["facets"]

    assert facets["version"]["datasetVersion"] == "7", "the run's own version, not the newest one"
    assert facets["schema"]["fields"][:2] == [
        {"name": "id", "type": "bigint", "description": "Of the CRM."},
        {"name": "home", "type": "struct", "fields": [{"name": "city", "type": "string", "description": "Where."}]},
    ]
    assert facets["symlinks"]["identifiers"] == [{"namespace": "prod-eu", "name": "bronze.people", "type": "TABLE"}]
    assert facets["documentation"]["description"] == "People"
    amounts = bronze["outputFacets"]["outputStatistics"]
    assert (amounts["rowCount"], amounts["size"], amounts["fileCount"]) == (10, 900, 2)
    assert quarantine["name"] == "bronze/people__quarantine"
    assert quarantine["outputFacets"]["outputStatistics"]["rowCount"] == 2
    read = event["inputs"][0]["inputFacets"]["inputStatistics"]
    assert (read["rowCount"], read["size"], read["fileCount"]) == (12, 500, 1)


def test_a_table_is_also_known_by_its_name_in_the_catalogue() -> None:
    table = {"uri": "s3://lake/bronze/people", "database": "dev_bronze", "databaseUri": "s3://lake", "name": "people"}
    glue = Registration.model_validate({"region": "eu-central-1", "catalogId": "111122223333", "tables": [table]})

    bronze, quarantine = completed(spec().model_copy(update={"catalog": glue}), BATCH)["outputs"]

    assert [each["name"] for each in bronze["facets"]["symlinks"]["identifiers"]] == [
        "bronze.people",
        "table/dev_bronze/people",
    ]
    assert len(quarantine["facets"]["symlinks"]["identifiers"]) == 1, "it is not in the catalogue"


def test_personal_data_is_tagged_where_it_is_kept() -> None:
    bronze, quarantine = completed(spec(), BATCH)["outputs"]

    def tags(dataset: dict[str, Any]) -> list[tuple[str, str, str]]:
        return [(each["key"], each["value"], each["field"]) for each in dataset["facets"]["tags"]["tags"]]

    assert tags(bronze) == [("pii", "low", "name"), ("pii", "high", "home.city")]
    assert tags(quarantine) == [("pii", "high", "row")], "a refused row may hold all of it"


def test_amounts_that_are_not_known_are_not_told() -> None:
    other = Seen(target=TableSeen(version=8, columns=COLUMNS))

    amounts = completed(spec(), BATCH, seen=other)["outputs"][0]["outputFacets"]["outputStatistics"]

    assert amounts["rowCount"] == 10
    assert not {"size", "fileCount"} & set(amounts)


def test_an_idle_run_completes_with_nothing_read_and_nothing_written() -> None:
    event = completed(spec(), result=RunResult(outcome="Succeeded", reason="NoNewFiles"))

    bronze = event["outputs"][0]
    amounts = bronze["outputFacets"]["outputStatistics"]
    assert (amounts["rowCount"], amounts["size"], amounts["fileCount"]) == (0, 0, 0)
    assert bronze["facets"]["version"]["datasetVersion"] == "8"
    assert set(event["inputs"][0]["inputFacets"]) == {"inputStatistics"}, "nothing was checked"
    assert {"key": "reason", "value": "NoNewFiles", "source": "LAKEHOUSE"} in event["run"]["facets"]["tags"]["tags"]


CSV = {"id": "TRANSFORMATION", "name": "IDENTITY", "seen": "TRANSFORMATION", "any": "TRANSFORMATION"}


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        pytest.param(FILES, CSV | {"home": "TRANSFORMATION"}, id="cells of CSV are texts"),
        pytest.param(
            {"files": {"uri": "s3://landing/people/", "format": "ndjson"}},
            CSV | {"id": "IDENTITY", "home": "IDENTITY"},
            id="JSON has numbers and structures, but no times",
        ),
        pytest.param(
            {"jdbc": {"dialect": "postgres", "url": "jdbc:postgresql://db/shop", "table": "people"}},
            CSV | {"id": "IDENTITY", "seen": "IDENTITY", "home": "TRANSFORMATION"},
            id="a database has times",
        ),
    ],
)
def test_each_column_comes_from_the_field_of_its_name(source: dict[str, Any], kinds: dict[str, str]) -> None:
    bronze = completed(spec(source=source), BATCH)["outputs"][0]

    assert origins(bronze) == {name: (name, kind) for name, kind in kinds.items()}


def test_columns_that_the_policy_added_come_from_the_source_as_text() -> None:
    bronze = completed(spec(drift={"newColumns": "Evolve"}), BATCH)["outputs"][0]

    assert origins(bronze)["extra"] == ("extra", "TRANSFORMATION")


def test_a_merged_table_is_made_of_the_table_that_keeps_every_change() -> None:
    merged = BATCH.model_copy(update={"rows_inserted": 4, "rows_updated": 1, "merged_version": 4})
    event = completed(spec(target=INTO), merged)

    assert names(event["inputs"]) == ["s3://landing/people", "s3://lake/bronze/ids", "s3://lake/bronze/people"]
    silver = event["outputs"][-1]
    assert (silver["name"], silver["facets"]["version"]["datasetVersion"]) == ("silver/people", "4")
    assert silver["outputFacets"]["outputStatistics"]["rowCount"] == 5
    lineage = silver["facets"]["columnLineage"]
    assert lineage["fields"]["name"]["inputFields"][0]["name"] == "bronze/people"
    decide = {each["field"]: each["transformations"][0] for each in lineage["dataset"]}
    assert {name: (each["type"], each["subtype"]) for name, each in decide.items()} == {
        "id": ("INDIRECT", "GROUP_BY"),
        "seen": ("INDIRECT", "SORT"),
    }


def test_a_replay_reads_the_quarantine_and_is_a_job_of_its_own() -> None:
    event = completed(spec(quarantine=REPLAY), BATCH)

    assert event["job"]["name"] == "crm.ingestpipeline.people.replay"
    assert names(event["inputs"]) == ["s3://lake/bronze/people__quarantine"]
    assert origins(event["outputs"][0])["id"] == ("row", "TRANSFORMATION")


@pytest.mark.parametrize(
    ("job", "batch", "change"),
    [
        pytest.param({}, BATCH, None, id="rows alone change nothing else"),
        pytest.param({}, BATCH.model_copy(update={"table_version": 0}), "CREATE", id="the first commit"),
        pytest.param({}, BATCH.model_copy(update={"columns_evolved": ("x string added",)}), "ALTER", id="a new column"),
        pytest.param({"target": {"mode": "Overwrite"}}, BATCH, "OVERWRITE", id="all rows replaced"),
    ],
)
def test_what_became_of_the_table_is_told(job: dict[str, Any], batch: BatchOutcome, change: str | None) -> None:
    facets = completed(spec(**job), batch)["outputs"][0]["facets"]

    assert facets.get("lifecycleStateChange", {}).get("lifecycleStateChange") == change


def test_checks_are_told_of_what_was_checked() -> None:
    source = completed(spec(), BATCH)["inputs"][0]
    found = {each["name"]: each for each in source["inputFacets"]["dataQualityAssertions"]["assertions"]}
    contract = "contract people 0123456789ab"

    told = {name: (each["assertion"], each["success"], each["severity"]) for name, each in found.items()}
    assert told == {
        contract: ("contract", False, "error"),
        f"{contract}: /home/city type": ("type", False, "error"),
        f"{contract}:  Malformed": ("Malformed", False, "error"),
        "ids-once": ("unique", False, "error"),
        "named": ("custom_sql", False, "warn"),
        "enough": ("row_count", True, "error"),
    }
    assert found[contract]["actual"] == "2 of 12 rows refused"
    assert found[f"{contract}: /home/city type"]["column"] == "home"
    assert (found["named"]["content"], found["named"]["actual"]) == ("name <> ''", "3 rows violate it")


def test_a_failure_tells_its_reason_and_the_expectations_it_failed_by() -> None:
    result = RunResult(outcome="Failed", reason="ExpectationFailed", message="the batch violates enough")
    results = [ExpectationResult(name="enough", outcome="Warned", found="3 rows")]

    event = events(spec()).failed(AT, result, results)

    assert event["run"]["facets"]["errorMessage"]["message"] == "ExpectationFailed: the batch violates enough"
    (enough,) = event["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (enough["success"], enough["severity"], enough["expected"]) == (False, "error", "10 to any number of rows")
    assert names(event["outputs"]) == ["s3://lake/bronze/people"]


def test_a_query_is_told_with_its_dialect() -> None:
    source = {"jdbc": {"dialect": "redshift", "url": "jdbc:redshift://db/shop", "query": "SELECT 1"}}

    sql = events(spec(source=source)).started(AT)["job"]["facets"]["sql"]

    assert (sql["query"], sql["dialect"]) == ("SELECT 1", "redshift")
