"""Tables of a real PostgreSQL, read once, exactly as they are, whatever happens in between."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pyspark.sql import SparkSession

from lakehouse_api.run import ExitCode
from lakehouse_dev import warehouse as shop
from lakehouse_dev.paths import REPOSITORY
from lakehouse_dev.postgres import PASSWORD, REDSHIFT_ROLE, Postgres, start_postgres
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from lakehouse_jobs.ingest.landing import Landing
from tests.guides import queries
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
BY_CHANGE: dict[str, Any] = {"contract": PEOPLE, "incremental": {"cursor": "changed"}}
WITH_LOOKBACK: dict[str, Any] = {"contract": PEOPLE, "incremental": {"cursor": "changed", "lookback": "10s"}}
BOOKS = "bronze/people/_ingest/crm/people"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with start_postgres(tmp_path_factory.mktemp("postgres")) as server:
        server.run(
            f"CREATE ROLE {REDSHIFT_ROLE} LOGIN PASSWORD '{PASSWORD}'",
            "CREATE ROLE stranger LOGIN PASSWORD 'stranger'",
            "CREATE ROLE hasty LOGIN PASSWORD 'hasty'",
            "ALTER ROLE hasty SET statement_timeout = '100ms'",
            # what Redshift has and PostgreSQL has not
            "CREATE FUNCTION getdate() RETURNS timestamp LANGUAGE sql AS $$ SELECT now() AT TIME ZONE 'UTC' $$",
        )
        yield server


@pytest.fixture
def warehouse(postgres: Postgres, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    schema = f"s{lake.prefix.encode().hex()[-24:]}"
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


def failure(warehouse: Warehouse, **job: Any) -> JobError:
    with pytest.raises(JobError) as caught:
        warehouse.ingest(**job)
    return caught.value


def test_only_rows_above_the_watermark_are_read(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})", f"(2, 'Bob', {at(2.000001)})")
    first = warehouse.ingest(slot="1", **BY_CHANGE)
    add(warehouse, f"(3, 'Cy', {at(2.000002)})")
    warehouse.run(f"UPDATE people SET name = 'Eve', changed = {at(3)} WHERE id = 1")

    second = warehouse.ingest(slot="2", **BY_CHANGE)
    third = warehouse.ingest(slot="3", **BY_CHANGE)

    assert [each.result.reason for each in (first, second, third)] == ["Ingested", "Ingested", "NoNewRows"]
    assert third.result.metrics["newestInputTime"] == "2026-11-01T00:00:03Z"
    assert warehouse.lake.rows("id", "name", "_ingest_batch") == [
        (1, "Ada", 1),
        (1, "Eve", 2),
        (2, "Bob", 1),
        (3, "Cy", 2),
    ]
    assert warehouse.lake.keys(f"{BOOKS}/landed") == [], "what was landed is deleted"


def test_values_are_kept_exactly_and_those_that_cannot_be_go_to_quarantine(warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TABLE kinds (id smallint, exact numeric(20,4), free numeric, big numeric(38,0), ratio float8, small "
        "float4, flag boolean, day date, moment timestamptz, local timestamp, padded char(4), bytes bytea, tags text[],"
        " data jsonb, tag uuid)",
        "INSERT INTO kinds VALUES (1, 1234567890123456.0001, 0.1, 9007199254740993, 0.1, 1.1, true, '2024-02-29',"
        " '2026-03-29 03:30:00.123456+02', '2026-03-29 02:30:00', 'ab', '\\x00ff', '{a,\"b c\"}', '{\"k\": 1}',"
        " '00000000-0000-0000-0000-000000000001')",
        "INSERT INTO kinds (id, exact) VALUES (2, 'NaN')",
        "INSERT INTO kinds (id, moment) VALUES (3, 'infinity')",
        "INSERT INTO kinds (id, free) VALUES (4, 1e-30)",
        "INSERT INTO kinds (id, ratio) VALUES (5, 'Infinity')",
        "INSERT INTO kinds (id, day) VALUES (6, '0044-03-15 BC')",
    )
    text = {"type": "string"}
    contract = {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "exact": {"type": "number", "x-spark-type": "decimal(20,4)"},
            "free": {"type": "number", "x-spark-type": "decimal(10,4)"},
            "big": {"type": "integer"},
            "ratio": {"type": "number"},
            "small": {"type": "number"},
            "flag": {"type": "boolean"},
            "day": {"type": "string", "format": "date"},
            "moment": {"type": "string", "format": "date-time"},
            **dict.fromkeys(("local", "padded", "bytes", "tags", "data", "tag"), text),
        },
    }

    warehouse.ingest(source=warehouse.source("kinds"), contract=contract)

    columns = ", ".join(f"CAST({name} AS STRING)" for name in contract["properties"])
    assert [tuple(row) for row in warehouse.lake.table().selectExpr(*columns.split(", ")).collect()] == [
        (
            *("1", "1234567890123456.0001", "0.1000", "9007199254740993", "0.1", "1.1", "true", "2024-02-29"),
            *("2026-03-29 01:30:00.123456", "2026-03-29T02:30:00", "ab", "AP8=", '["a","b c"]', '{"k": 1}'),
            "00000000-0000-0000-0000-000000000001",
        )
    ]
    told = {row.row: row.reasons[0] for row in warehouse.lake.table("bronze/people__quarantine").collect()}
    assert {text: each.message for text, each in told.items() if each.keyword == "Type"} == {
        '{"id":2}': "exact is NaN, which is not kept as decimal(20,4)",
        '{"id":3}': "moment is infinity, which is not kept as timestamp",
        '{"id":4}': f"free is 0.{'0' * 29}1, which is not kept as decimal(38,18)",
        '{"id":6}': "day is 0044-03-15 BC, which is not kept as date",
    }
    infinite = told['{"id":5,"ratio":"Infinity"}']
    assert (len(told), infinite.path, infinite.keyword) == (5, "/ratio", "type")


def test_late_rows_within_the_lookback_are_read_once(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(5)})", f"(2, 'Bob', {at(20)})", f"(NULL, 'nobody', {at(19)})")
    warehouse.ingest(slot="1", **WITH_LOOKBACK)
    add(warehouse, f"(4, 'late', {at(15)})", f"(5, 'too late', {at(8)})", f"(6, 'new', {at(21)})")

    warehouse.ingest(slot="2", **WITH_LOOKBACK)
    add(warehouse, f"(7, 'newer', {at(22)})")
    warehouse.ingest(slot="3", **WITH_LOOKBACK)

    assert warehouse.lake.rows("id", "_ingest_batch") == [(1, 1), (2, 1), (4, 2), (6, 2), (7, 3)]
    assert [reasons for _, reasons in warehouse.lake.refused()] == [[("/id", "required")]], "refused once, too"


def test_a_range_is_read_again_up_to_the_watermark_which_stays(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})", f"(2, 'Bob', {at(2)})", f"(3, 'Cy', {at(3)})", f"(NULL, '?', {at(2)})")
    warehouse.ingest(slot="1", **BY_CHANGE)
    add(warehouse, f"(4, 'late', {at(1.5)})", f"(5, 'new', {at(9)})")
    warehouse.run("UPDATE people SET name = 'Bert' WHERE id = 2")
    lacking = {"from": "2026-11-01T00:00:01Z", "until": "2026-11-01T00:00:03Z"}

    added = warehouse.ingest(slot="backfill:a/1", backfill=lacking, **BY_CHANGE)
    assert warehouse.lake.rows("id", "name") == [(1, "Ada"), (2, "Bob"), (3, "Cy"), (4, "late")]
    assert (added.result.metrics["rowsRead"], len(warehouse.lake.refused())) == (1, 1), "what is known is left out"

    replacing = {"from": "2026-11-01T00:00:02Z", "until": "2027-01-01", "replace": True}
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_write", _die)
        with pytest.raises(KeyboardInterrupt):
            warehouse.ingest(slot="backfill:b/1", backfill=replacing, **BY_CHANGE)
    warehouse.run("UPDATE people SET name = 'Mallory' WHERE id = 2")
    warehouse.ingest(slot="backfill:b/1", attempt=2, backfill=replacing, **BY_CHANGE)
    warehouse.ingest(slot="2", **BY_CHANGE)

    assert warehouse.lake.rows("id", "name", "_ingest_batch") == [
        *((1, "Ada", 1), (2, "Bert", 3), (3, "Cy", 3)),
        *((4, "late", 2), (5, "new", 4)),
    ]
    table = warehouse.lake.table("bronze/people__quarantine")
    assert table.where("_status IS NULL").select("_ingest_batch").collect() == [(3,)]
    assert warehouse.lake.keys(f"{BOOKS}/landed") == []


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_range_that_cannot_be_read_again_without_doubles_is_refused(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})")
    day, contract = (
        {"from": "2026-11-01", "until": "2026-11-02"},
        {name: PEOPLE[name] for name in ("type", "properties")},
    )
    faults: dict[str, dict[str, Any]] = {
        "only keys tell": {"contract": contract, "backfill": day},
        "is no value of the cursor changed": {"backfill": {"from": "1", "until": "9"}},
        "is no time, date or number": {"incremental": {"cursor": "name"}, "backfill": {**day, "replace": True}},
    }
    warehouse.ingest(slot="1", **BY_CHANGE)

    for said, changes in faults.items():
        caught = failure(warehouse, slot="backfill:a/1", **{**BY_CHANGE, **changes})
        assert (caught.reason, caught.code) == ("BackfillRefused", ExitCode.SPEC_WRONG)
        assert said in caught.message


def test_orders_are_merged_by_id_and_sequence(warehouse: Warehouse) -> None:
    warehouse.run(shop.CREATE_ORDERS, shop.FILL_ORDERS)
    contract = json.loads((REPOSITORY / "schemas" / "snowflake_orders.schema.json").read_text())
    merge = {"keys": ["ORDER_ID"], "sequenceBy": ["ORDER_SEQ"], "deletes": {"when": "IS_DELETED"}}
    job: dict[str, Any] = {
        "source": warehouse.source("ORDERS"),
        "contract": contract,
        "incremental": {"cursor": "UPDATED_AT", "lookback": "15m"},
        "target": {"mode": "Merge", "merge": merge},
    }

    first = warehouse.ingest(slot="1", **job)
    warehouse.run(shop.CHANGE_ORDERS)
    second = warehouse.ingest(slot="2", **job)

    assert first.result.metrics["rowsWritten"] == shop.ORDER_COUNTS.accepted
    assert second.batches[0].rows_read >= shop.CHANGED_ORDERS + shop.LATE_ORDERS
    with warehouse.server.connect() as connection:
        there = connection.execute(
            f"""SELECT "ORDER_ID", "ORDER_SEQ", "IS_DELETED" FROM {warehouse.schema}."ORDERS"
            WHERE "CURRENCY" <> 'euro'""".encode()
        ).fetchall()
    assert warehouse.lake.rows("ORDER_ID", "ORDER_SEQ", "_deleted") == sorted(
        (int(key), int(sequence), deleted) for key, sequence, deleted in there
    )
    assert len(warehouse.lake.refused()) == shop.ORDER_COUNTS.refused, "what is read again is refused once"


def test_a_row_dated_in_the_future_waits_and_hides_no_other(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})", "(2, 'from tomorrow', now() + interval '1 day')", "(3, 'young', now())")
    lagging = warehouse.source(lag="1h")
    warehouse.ingest(slot="1", source=lagging, **BY_CHANGE)
    add(warehouse, "(4, 'Dan', now() - interval '2 hours')")
    warehouse.ingest(slot="2", source=lagging, **BY_CHANGE)

    assert warehouse.lake.rows("id") == [1, 4]


def test_a_driver_that_dies_while_or_after_landing_costs_no_row_and_doubles_none(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})", f"(2, 'Bob', {at(2)})")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Landing, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            warehouse.ingest(slot="1", attempt=1, **BY_CHANGE)
    warehouse.run(f"UPDATE people SET name = 'Eve', changed = {at(9)} WHERE id = 1")
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            warehouse.ingest(slot="1", attempt=2, **BY_CHANGE)
    warehouse.run("UPDATE people SET name = 'Mallory' WHERE id = 2")

    warehouse.ingest(slot="1", attempt=3, **BY_CHANGE)
    warehouse.ingest(slot="2", **BY_CHANGE)

    assert warehouse.lake.rows("id", "name", "_ingest_batch") == [(1, "Eve", 2), (2, "Bob", 1)]
    assert warehouse.lake.keys(f"{BOOKS}/landed") == []


def test_partitions_lose_and_double_nothing_while_rows_are_inserted(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.run("CREATE TABLE people (id bigint, name text, changed timestamptz)")
    warehouse.run("INSERT INTO people SELECT n, 'n', now() FROM generate_series(1, 500) AS n")
    enough = threading.Event()

    def insert() -> None:
        n = 500
        while not enough.is_set():
            n += 1
            place = "NULL" if n % 50 == 0 else str(n if n % 2 else -n)
            warehouse.run(f"INSERT INTO people VALUES ({place}, '{n}', clock_timestamp())")

    source = warehouse.source(partition={"column": "id", "count": 4}, fetchSize=50, lag="0s")
    contract = {"type": "object", "properties": PEOPLE["properties"]}
    job: dict[str, Any] = {"contract": contract, "incremental": {"cursor": "changed"}, "source": source}
    inserting = threading.Thread(target=insert)
    inserting.start()
    try:
        first = warehouse.ingest(slot="1", **job)
    finally:
        enough.set()
        inserting.join()
    warehouse.ingest(slot="2", **job)

    with warehouse.server.connect() as connection:
        there = connection.execute(f"SELECT name, changed FROM {warehouse.schema}.people".encode()).fetchall()
    assert len(there) > 510
    found = warehouse.lake.table().select("name", "changed").collect()
    assert sorted(row.name for row in found) == sorted(str(name) for name, _ in there)
    plan = warehouse.lake.read(f"{BOOKS}/1.json")["work"]
    assert len(plan["partitions"]) == 4
    written = first.result.metrics["rowsWritten"]
    assert isinstance(written, int)
    assert written < len(there), "some rows came while others were read"


def test_without_a_cursor_each_run_reads_the_whole_table(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})", "(2, 'Bob', NULL)")

    warehouse.ingest(slot="1", contract=PEOPLE)
    warehouse.ingest(slot="2", contract=PEOPLE)

    assert warehouse.lake.rows("id", "_ingest_batch") == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_another_cursor_or_table_asks_for_a_decision_which_the_reread_annotation_is(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})")
    warehouse.ingest(slot="1", **BY_CHANGE)
    by_id: dict[str, Any] = {"contract": PEOPLE, "incremental": {"cursor": "id"}}

    assert failure(warehouse, slot="2", **by_id).reason == "WatermarkLost"
    warehouse.ingest(slot="3", reread="by id", **by_id)
    add(warehouse, f"(2, 'Bob', {at(0)})")
    warehouse.ingest(slot="4", reread="by id", **by_id)

    assert warehouse.lake.rows("id", "_ingest_batch") == [(1, 1), (1, 2), (2, 3)]


def test_the_driver_of_redshift_reads_a_query_in_parts(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse.run(
        "CREATE TABLE behavior (event_id bigint, revenue numeric(12,2), loaded_at timestamp)",
        "INSERT INTO behavior SELECT n, n / 100.0, '2026-11-01 00:00:00'::timestamp + n * interval '1 second'"
        " FROM generate_series(1, 100) AS n",
        f"GRANT USAGE ON SCHEMA {warehouse.schema} TO {REDSHIFT_ROLE}",
        f"GRANT SELECT ON behavior TO {REDSHIFT_ROLE}",
    )
    monkeypatch.setenv("LAKEHOUSE_SOURCE_USERNAME", REDSHIFT_ROLE)
    source = warehouse.source(
        table=None,
        query=f"SELECT * FROM {warehouse.schema}.behavior -- all of it",
        dialect="redshift",
        url=warehouse.server.redshift_url,
        partition={"column": "event_id", "count": 3},
        timeZone="Europe/Berlin",
    )
    contract = {
        "type": "object",
        "required": ["event_id", "loaded_at"],
        "properties": {
            "event_id": {"type": "integer"},
            "revenue": {"type": "number", "x-spark-type": "decimal(12,2)"},
            "loaded_at": {"type": "string", "format": "date-time"},
        },
    }
    job: dict[str, Any] = {"source": source, "contract": contract, "incremental": {"cursor": "loaded_at"}}

    first = warehouse.ingest(slot="1", **job)
    second = warehouse.ingest(slot="2", **job)

    assert (first.result.metrics["rowsWritten"], second.result.reason) == (100, "NoNewRows")
    row = warehouse.lake.table().where("event_id = 100").selectExpr("revenue", "CAST(loaded_at AS STRING)").head()
    assert row is not None
    assert (str(row[0]), row[1]) == ("1.00", "2026-10-31 23:01:40")


@pytest.mark.parametrize(
    ("changes", "user", "told"),
    [
        pytest.param({"table": "nowhere"}, None, ("SourceMissing", ExitCode.SPEC_WRONG, "nowhere"), id="no such table"),
        pytest.param(
            {"url": "jdbc:postgresql://127.0.0.1:PORT/nowhere"},
            None,
            ("SourceMissing", ExitCode.SPEC_WRONG, "nowhere"),
            id="no such database",
        ),
        pytest.param(
            {}, ("postgres", "wrong"), ("AccessDenied", ExitCode.UNAVAILABLE, "password"), id="wrong password"
        ),
        pytest.param(
            {}, ("stranger", "stranger"), ("AccessDenied", ExitCode.UNAVAILABLE, "permission"), id="no right to read"
        ),
        pytest.param(
            {"table": None, "query": "SELEKT 1"},
            None,
            ("QueryRefused", ExitCode.SPEC_WRONG, "syntax"),
            id="a query that is no SQL",
        ),
        pytest.param(
            {"table": None, "query": "SELECT 1 AS id, nothing FROM pg_class"},
            None,
            ("ColumnMissing", ExitCode.SPEC_WRONG, "nothing"),
            id="a query of a column that is not there",
        ),
        pytest.param(
            {"partition": {"column": "name", "count": 2}},
            None,
            ("ColumnUnsuited", ExitCode.SPEC_WRONG, "text"),
            id="a text to split by",
        ),
        pytest.param(
            {"partition": {"column": "age", "count": 2}},
            None,
            ("ColumnMissing", ExitCode.SPEC_WRONG, "age"),
            id="no such column to split by",
        ),
        pytest.param(
            {"url": "jdbc:postgresql://127.0.0.1:1/x"},
            None,
            ("SourceUnavailable", ExitCode.UNAVAILABLE, "127.0.0.1:1"),
            id="nobody listens",
        ),
        pytest.param({}, ("", ""), ("CredentialsMissing", ExitCode.UNAVAILABLE, "username"), id="no user name"),
        pytest.param(
            {"table": None, "query": "SELECT 1 AS id, pg_sleep(1)::text AS name, now() AS changed"},
            ("hasty", "hasty"),
            ("SourceTimedOut", ExitCode.UNAVAILABLE, "statement timeout"),
            id="a statement that takes too long",
        ),
        pytest.param(
            {
                "table": None,
                "query": "SELECT n AS id, CASE WHEN n = 900 THEN pg_terminate_backend(pg_backend_pid())::text END AS "
                "name FROM generate_series(1, 1000) AS n",
                "fetchSize": 100,
            },
            None,
            ("SourceUnavailable", ExitCode.UNAVAILABLE, "terminating connection"),
            id="a connection that dies while rows come",
        ),
    ],
)
def test_each_fault_has_its_reason(
    warehouse: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    user: tuple[str, str] | None,
    told: tuple[str, ExitCode, str],
) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})")
    warehouse.run(f"GRANT USAGE ON SCHEMA {warehouse.schema} TO stranger")
    if user:
        monkeypatch.setenv("LAKEHOUSE_SOURCE_USERNAME", user[0])
        monkeypatch.setenv("LAKEHOUSE_SOURCE_PASSWORD", user[1])
    source = warehouse.source(**changes)
    source["jdbc"]["url"] = source["jdbc"]["url"].replace("PORT", str(warehouse.server.port))

    error = failure(warehouse, source=source, contract=PEOPLE)

    assert (error.reason, error.code) == told[:2], error.message
    assert told[2] in error.message
    assert warehouse.lake.keys("bronze/people/_delta_log") == []


@pytest.mark.parametrize(
    ("incremental", "rows", "reason", "word"),
    [
        pytest.param({"cursor": "Changed"}, [], "ColumnMissing", "changed", id="a cursor in other letters"),
        pytest.param({"cursor": "id", "lookback": "1m"}, [], "ColumnUnsuited", "int8", id="minutes behind a number"),
        pytest.param({"cursor": "changed"}, ["(2, 'Bob', NULL)"], "CursorUnusable", "never be read", id="no value"),
    ],
)
def test_a_cursor_that_would_lose_rows_is_refused(
    warehouse: Warehouse, incremental: dict[str, str], rows: list[str], reason: str, word: str
) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})", *rows)

    error = failure(warehouse, contract=PEOPLE, incremental=incremental)

    assert error.reason == reason
    assert word in error.message


def test_a_lookback_without_keys_is_refused(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})")
    keyless = {name: value for name, value in PEOPLE.items() if name != "x-keys"}

    assert failure(warehouse, **{**WITH_LOOKBACK, "contract": keyless}).reason == "KeysMissing"


def test_a_server_that_takes_connections_and_is_silent_is_given_up(warehouse: Warehouse) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})")
    source = warehouse.source(url=f"{warehouse.server.url}?loginTimeout=2")
    warehouse.server.pause()
    try:
        error = failure(warehouse, source=source, contract=PEOPLE)
    finally:
        warehouse.server.resume()

    assert (error.reason, error.code) == ("SourceUnavailable", ExitCode.UNAVAILABLE)


@pytest.fixture
def everything_logged(spark: SparkSession, driver_log: Path) -> Iterator[Path]:
    """The log that a driver keeps, at the level at which Spark and the database's driver tell most."""
    spark.sparkContext.setLogLevel("DEBUG")
    yield driver_log
    spark.sparkContext.setLogLevel("ERROR")


def test_the_password_is_nowhere_but_at_the_driver(warehouse: Warehouse, everything_logged: Path) -> None:
    people(warehouse, f"(1, 'Ada', {at(1)})")
    lake = warehouse.lake
    jvm: Any = lake.spark._jvm

    warehouse.ingest(slot="1", **BY_CHANGE)

    log = everything_logged.read_text()
    environment = f"{jvm.java.lang.System.getProperties()}{lake.spark.sparkContext.getConf().getAll()}"
    settings = str(lake.spark.conf.getAll)
    stored = "".join(lake.text(key) for key in lake.keys("") if key.endswith(".json"))
    assert "Executor task launch" in log or "TaskSetManager" in log, "the log has what Spark tells of its tasks"
    assert '"watermark"' in stored
    assert PASSWORD not in log + environment + settings + stored


def test_the_user_of_the_guide_may_read_the_table_and_change_nothing(postgres: Postgres) -> None:
    [rights] = queries("ingest-postgres-redshift.md")
    try:
        postgres.run("CREATE TABLE public.behavior (event_id bigint)", *filter(str.strip, rights.split(";")))
        with postgres.connect(user="lakehouse", password="…") as connection:
            assert connection.execute("SELECT count(*) FROM public.behavior").fetchall() == [(0,)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("INSERT INTO public.behavior VALUES (1)")
    finally:
        postgres.run("DROP TABLE public.behavior", "DROP OWNED BY lakehouse", "DROP ROLE lakehouse")
