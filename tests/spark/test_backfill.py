"""A range of a source is read once more: nothing is doubled, nothing lost, and ordinary runs go on where they were."""

import json
from typing import Any

import pytest
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.run import RunSpec
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from lakehouse_jobs.ingest.job import Ended
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.ranges import place_of
from lakehouse_jobs.ingest.work import WindowWork
from tests.spark.changes import SILVER, kept_and_merged, merged, put, state
from tests.spark.lake import PEOPLE, Lake, lines

pytestmark = pytest.mark.spark

BOOKS = "bronze/people/_ingest/crm/people"
QUARANTINE = "bronze/people__quarantine"
WIDER: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, "email": {"type": "string"}},
}
JANUARY = {"prefix": "01/"}
STEPS = ("judge", "_take_up", "_quarantine", "_write")
"""What a backfill that replaces does one after the other, once its plan is frozen."""


def again(lake: Lake, slot: str, wanted: dict[str, Any], attempt: int = 1, **changes: Any) -> Ended:
    return lake.ingest(f"backfill:{slot}/1", attempt, backfill=wanted, **changes)


def two_months(lake: Lake) -> None:
    lake.put({"01/a.csv": lines("id,name,email", "1,Ada,ada@x.org", "2,Bob,nowhere", "x,Cy,cy@x.org")})
    lake.put({"02/b.csv": lines("id,name,email", "3,Di,di@x.org")})
    lake.ingest(slot="1")


def statuses(lake: Lake) -> list[tuple[Any, ...]]:
    """Give id, batch, and the batch that took it up, of each quarantined row."""
    rows = lake.table(QUARANTINE).select("row", "_ingest_batch", "_status_batch").collect()
    return sorted(((str(json.loads(row[0])["id"]), *row[1:]) for row in rows), key=str)


def test_files_that_are_read_again_add_only_what_the_table_and_its_quarantine_lack(lake: Lake) -> None:
    two_months(lake)
    lake.spark.sql(f"DELETE FROM delta.`{lake.uri('bronze/people').replace('s3:', 's3a:')}` WHERE id = 1")

    ended = again(lake, "a", JANUARY)

    assert (ended.result.reason, ended.result.metrics["rowsRead"]) == ("Ingested", 1)
    assert "newestInputTime" not in ended.result.metrics, "old files say nothing about how new the table is"
    assert lake.rows("id", "_ingest_batch") == [(1, 2), (3, 1)]
    assert len(lake.refused()) == 2


def test_a_range_without_a_file_or_a_valid_row_takes_nothing_out(lake: Lake) -> None:
    two_months(lake)
    lake.put({"01/late.csv": lines("id,name,email", "9,Eve,eve@x.org")})

    none = again(lake, "a", {"from": "2001-01-01", "until": "2002-01-01"})
    stricter = {**PEOPLE, "required": ["id", "phone"]}
    refused = again(lake, "b", JANUARY | {"replace": True}, contract=stricter)
    ordinary = lake.ingest(slot="2")

    assert none.result.reason == "NothingToBackfill"
    assert refused.result.metrics["filesRead"] == 1, "what was not read yet is left to the ordinary run"
    assert [marked for _, batch, marked in statuses(lake) if batch == 1] == [2, 2], "no refused row is open twice"
    assert (ordinary.result.metrics["filesRead"], lake.rows("id")) == (1, [1, 3, 9])


def test_a_backfill_whose_drivers_die_at_every_step_ends_like_an_undisturbed_one(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_months(lake)
    wanted = JANUARY | {"replace": True}

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    for attempt, step in enumerate(STEPS, 1):
        with monkeypatch.context() as patch:
            patch.setattr(batches, step, die)
            with pytest.raises(KeyboardInterrupt):
                again(lake, "a", wanted, attempt, contract=WIDER)
        assert lake.rows("id", "_ingest_batch") == [(1, 1), (3, 1)]
    ended = again(lake, "a", wanted, attempt=9, contract=WIDER)

    assert (ended.result.reason, ended.result.metrics["rowsWritten"]) == ("Ingested", 2)
    assert lake.rows("id", "_ingest_batch") == [(1, 2), (2, 2), (3, 1)]
    assert statuses(lake) == [("2", 1, 2), ("x", 1, 2), ("x", 2, None)]

    lake.delete(f"{BOOKS}/2.result.json")
    told = again(lake, "a", wanted, attempt=10, contract=WIDER)
    lake.put({"02/c.csv": lines("id,name,email", "4,Flo,flo@x.org")})
    ordinary = lake.ingest(slot="2", contract=WIDER)
    assert (told.result.reason, told.batches) == ("AlreadyCommitted", ended.batches)
    assert (ordinary.result.metrics["filesRead"], lake.rows("id")) == (1, [1, 2, 3, 4])


def test_an_ordinary_run_that_comes_first_gives_up_an_open_backfill_and_loses_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_months(lake)
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            again(lake, "a", JANUARY | {"replace": True}, contract=WIDER)
    lake.put({"02/c.csv": lines("id,name,email", "4,Flo,flo@x.org")})

    lake.ingest(slot="2", contract=WIDER)
    again(lake, "a", JANUARY | {"replace": True}, attempt=2, contract=WIDER)

    assert lake.rows("id", "_ingest_batch") == [(1, 4), (2, 4), (3, 1), (4, 3)]
    assert len([row for row, _, marked in statuses(lake) if marked is None]) == 1


@pytest.mark.parametrize("kept", [False, True], ids=["merged into itself", "kept, and merged into another"])
def test_old_changes_that_are_read_again_set_nothing_back(lake: Lake, kept: bool) -> None:  # noqa: FBT001 (a case)
    job = kept_and_merged(lake) if kept else merged()
    table = SILVER if kept else "bronze/people"
    put(lake, "01/a", "1,Ada,1,u", "2,Bob,1,u", "3,Cy,x,u")
    put(lake, "02/b", "1,Eve,2,u", "2,,2,d")
    lake.ingest(slot="1", **job)
    before = state(lake, table)

    ended = again(lake, "a", JANUARY | {"replace": kept}, **job)

    assert state(lake, table) == before
    assert ended.result.metrics["rowsWritten"] == 2
    assert lake.table(QUARANTINE).count() == (2 if kept else 1)
    if kept:
        assert lake.rows("id", "seq", "_ingest_batch") == [("1", 1, 2), ("1", 2, 1), ("2", 1, 2), ("2", 2, 1)]


JDBC = {"dialect": "postgres", "url": "jdbc:postgresql://db:5432/shop", "table": "public.orders"}
DAY = {"first": "2026-07-01", "end": "2026-07-02"}
HOURS = {"first": "2026-07-01T00:00:00", "end": "2026-07-02T00:00:00"}
WINDOWS: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "days": ("date", DAY, ["2026-06-30", "2026-07-01", "2026-07-02"]),
    "moments of clocks in Berlin": (
        "timestamp",
        HOURS,
        ["2026-06-30 21:59:59.999999", "2026-06-30 22:00:00", "2026-07-01 22:00:00"],
    ),
    "moments": (
        "timestamp",
        {"first": "2026-07-01T00:00:00+00:00", "until": "2026-07-01T12:00:00.5+00:00"},
        ["2026-06-30 23:59:59", "2026-07-01 12:00:00.5", "2026-07-01 12:00:00.500001"],
    ),
    "numbers": ("decimal(20,2)", {"first": "10", "end": "10.5"}, ["9.99", "10.49", "10.50"]),
    "many digits": (
        "bigint",
        {"first": "9007199254740993", "until": "9007199254740993"},
        ["9007199254740992", "9007199254740993", "9007199254740994"],
    ),
}


@pytest.mark.parametrize(("kind", "bounds", "values"), WINDOWS.values(), ids=WINDOWS.keys())
def test_the_rows_of_a_range_are_found_by_their_cursor(
    lake: Lake, kind: str, bounds: dict[str, str], values: list[str]
) -> None:
    document = lake.document(incremental={"cursor": "n"})
    document["job"]["source"] = {"jdbc": JDBC | {"timeZone": "Europe/Berlin"}}
    work = WindowWork(cursor="n", **bounds)
    plan = Plan.new(RunSpec.model_validate(document), [], batch=1, work=work, now="2026-11-24T06:00:00Z")
    rows = lake.spark.createDataFrame([(value,) for value in values], "n string").selectExpr(
        "n", f"CAST(n AS {kind}) c"
    )

    found = rows.selectExpr("n", "c", "NULL _ingest_file", "NULL _ingest_row").where(
        place_of(plan, F.col("c")).isNotNull()
    )

    assert [row.n for row in found.collect()] == [values[1]]


REFUSED: dict[str, dict[str, Any]] = {
    "overwrites": {"target": {"mode": "Overwrite"}},
    "replaces-what-is-merged": {"target": {"mode": "Merge", "merge": {"keys": ["id"], "sequenceBy": ["_ingest_file"]}}},
    "merges-by-batch": {
        "target": {"mode": "Merge", "merge": {"keys": ["id"], "sequenceBy": ["_ingest_batch"]}},
        "backfill": JANUARY,
    },
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED.keys())
def test_a_backfill_that_could_set_rows_back_is_refused(lake: Lake, changes: dict[str, Any]) -> None:
    with pytest.raises(JobError) as caught:
        lake.ingest("backfill:a/1", **{"contract": PEOPLE, "backfill": JANUARY | {"replace": True}} | changes)

    assert caught.value.reason == "BackfillRefused"
