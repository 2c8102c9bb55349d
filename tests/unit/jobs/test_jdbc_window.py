"""Bounds and ranges: nothing lost, nothing twice, whatever the digits, zones and values."""

import sqlite3
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse_api.columns import field_of
from lakehouse_jobs.ingest.sources.jdbc.columns import Column, Kind, landed_type
from lakehouse_jobs.ingest.sources.jdbc.instants import nanoseconds, written
from lakehouse_jobs.ingest.sources.jdbc.postgres import POSTGRES
from lakehouse_jobs.ingest.sources.jdbc.window import Clock, newest, normal, set_back, split

NOON = nanoseconds("2026-11-24 12:00:00+00")


@given(st.integers(min_value=nanoseconds("0001-01-02T00:00:00Z"), max_value=nanoseconds("9999-12-30T00:00:00Z")))
def test_a_time_survives_being_written_and_read(moment: int) -> None:
    assert nanoseconds(written(moment, zone="+00:00")) == moment


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-03-29 03:30:00.5+02", "2026-03-29T01:30:00.500000000Z"),
        ("2026-03-29T01:30:00.500-00:30", "2026-03-29T02:00:00.5Z"),
        ("1969-12-31 23:59:59.999999999", "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_databases_write_one_time_in_several_ways(text: str, same: str) -> None:
    assert nanoseconds(text) == nanoseconds(same)


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 00:00:00 BC", "2026-11-24", "12026-01-01 00:00:00"])
def test_what_is_no_time_of_our_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        nanoseconds(text)


@pytest.mark.parametrize(
    ("kind", "zone", "lag", "ceiling"),
    [
        pytest.param(Kind.MOMENT, "UTC", timedelta(minutes=5), "2026-11-24T11:55:00+00:00", id="a moment"),
        pytest.param(Kind.LOCAL, "Europe/Berlin", timedelta(0), "2026-11-24T13:00:00", id="a clock in Berlin"),
        pytest.param(Kind.DATE, "UTC", timedelta(0), "2026-11-23", id="a day that is over"),
        pytest.param(Kind.DATE, "Asia/Tokyo", timedelta(hours=22), "2026-11-22", id="a day that is over for long"),
        pytest.param(Kind.INTEGER, "UTC", timedelta(0), None, id="a number knows no clock"),
    ],
)
def test_a_batch_ends_where_the_database_s_clock_is(kind: Kind, zone: str, lag: timedelta, ceiling: str | None) -> None:
    assert Clock(now=NOON, zone=zone).ceiling(kind, lag) == ceiling


def test_a_lookback_goes_back_by_time_with_all_digits() -> None:
    back = timedelta(minutes=15)
    assert set_back(Kind.MOMENT, "2026-11-24T00:00:00.000000001+00:00", back) == "2026-11-23T23:45:00.000000001+00:00"
    assert set_back(Kind.LOCAL, "2026-11-24T00:15:00", back) == "2026-11-24T00:00:00"
    assert set_back(Kind.DATE, "2026-11-24", back) == "2026-11-23"
    assert set_back(Kind.INTEGER, "7", timedelta(0)) == "7"


def test_a_watermark_is_written_one_way_only() -> None:
    assert normal(Kind.MOMENT, "2026-11-10 17:20:00.000001+00") == "2026-11-10T17:20:00.000001+00:00"
    assert normal(Kind.LOCAL, "2026-11-10 17:20:00") == "2026-11-10T17:20:00"
    assert normal(Kind.TEXT, "x'y") == "x'y"


def test_how_new_the_newest_row_is_is_told_in_utc() -> None:
    assert newest(Kind.MOMENT, "2026-11-10T17:20:00.9+00:00", "UTC") == "2026-11-10T17:20:00Z"
    assert newest(Kind.LOCAL, "2026-11-10T17:20:00", "Europe/Berlin") == "2026-11-10T16:20:00Z"
    assert newest(Kind.DATE, "2026-11-10", "UTC") == "2026-11-10T23:59:59Z"
    assert newest(Kind.NUMBER, "12", "UTC") is None


@given(
    low=st.integers(-1000, 1000),
    span=st.integers(0, 1000),
    count=st.integers(2, 16),
    there=st.lists(st.none() | st.integers(-3000, 3000), max_size=50),
)
def test_every_row_is_in_just_one_range_also_those_added_later(
    low: int, span: int, count: int, there: list[int | None]
) -> None:
    column = Column(name="id", type="int8", kind=Kind.INTEGER)
    conditions = split(column, str(low), str(low + span), count, POSTGRES.literal) or ("1 = 1",)
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (lakehouse_part INTEGER)")
    database.executemany("INSERT INTO t VALUES (?)", [(value,) for value in there])

    found = [row[0] for each in conditions for row in database.execute(f"SELECT * FROM t WHERE {each}")]
    database.close()

    assert sorted(found, key=str) == sorted(there, key=str)
    assert len(conditions) <= count


def test_ranges_of_times_and_days_are_of_equal_length() -> None:
    days = split(Column(name="d", type="date", kind=Kind.DATE), "2026-11-01", "2026-11-05", 2, POSTGRES.literal)
    assert days == (
        "lakehouse_part < CAST('2026-11-03' AS date) OR lakehouse_part IS NULL",
        "lakehouse_part >= CAST('2026-11-03' AS date)",
    )
    times = split(
        Column(name="t", type="timestamptz", kind=Kind.MOMENT),
        "2026-11-01 00:00:00+00",
        "2026-11-01 00:00:04+00",
        4,
        POSTGRES.literal,
    )
    assert [each.count("AND") for each in times] == [0, 1, 1, 0]
    assert "2026-11-01T00:00:03+00:00" in times[-1]


@pytest.mark.parametrize(
    ("kind", "precision", "scale", "schema", "landed"),
    [
        (Kind.NUMBER, 38, 0, {"type": "integer"}, "bigint"),
        (Kind.NUMBER, 12, 2, {"type": "integer"}, "decimal(12,2)"),
        (Kind.NUMBER, 12, 2, {"type": "number", "x-spark-type": "decimal(18,4)"}, "decimal(12,2)"),
        (Kind.NUMBER, 0, 0, {"type": "number", "x-spark-type": "decimal(30,20)"}, "decimal(38,20)"),
        (Kind.NUMBER, 0, 0, {"type": "number"}, "double"),
        (Kind.NUMBER, 60, 2, {"type": "string"}, "decimal(38,18)"),
        (Kind.MOMENT, 0, 0, {"type": "string", "format": "date-time"}, "timestamp"),
        (Kind.LOCAL, 0, 0, {"type": "string"}, "string"),
        (Kind.LOCAL, 0, 0, {"type": "string", "x-spark-type": "timestamp_ntz"}, "timestamp_ntz"),
        (Kind.DATE, 0, 0, {"type": "string", "format": "date"}, "date"),
        (Kind.TEXT, 0, 0, {"type": "integer"}, "string"),
        (Kind.BOOLEAN, 0, 0, {"type": "boolean"}, "boolean"),
    ],
)
def test_a_column_is_landed_so_that_the_contract_can_be_judged_natively(
    kind: Kind, precision: int, scale: int, schema: dict[str, str], landed: str
) -> None:
    column = Column(name="c", type="t", kind=kind, precision=precision, scale=scale)

    assert landed_type(column, field_of("c", schema), zoned=False) == landed


def test_a_named_zone_makes_moments_of_local_times() -> None:
    column = Column(name="c", type="timestamp", kind=Kind.LOCAL)

    assert landed_type(column, None, zoned=True) == "timestamp"
