"""Slots agree with a walk over every minute, on the days the clocks change too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse_operator.core.schedule import read_schedule

EXPRESSIONS = ["0 * * * *", "*/15 * * * *", "30 2 * * *", "5 1-3 * * *", "0 0 * * 0", "59 23 31 12 *", "7 7 1,15 * *"]
ZONES = ["Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
INSTANTS = st.integers(0, 365 * 24 * 3600).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(expression=st.sampled_from(EXPRESSIONS), zone=st.sampled_from(ZONES), after=INSTANTS, hours=st.integers(0, 60))
def test_due_slots_are_those_that_next_after_walks_through(
    expression: str, zone: str, after: datetime, hours: int
) -> None:
    schedule = read_schedule(expression, zone)
    until = after + timedelta(hours=hours)
    slots: list[datetime] = []
    slot = schedule.next_after(after)
    while slot is not None and slot <= until:
        slots.append(slot)
        slot = schedule.next_after(slot)
    due = schedule.due(after=after, until=until)
    assert (due is None) == (not slots)
    if due is not None:
        assert (due.first, due.latest, due.count) == (slots[0], slots[-1], len(slots))
    assert slots == sorted(set(slots))
    assert all(one.second == 0 and one.microsecond == 0 for one in slots)


@given(after=INSTANTS)
def test_an_hourly_slot_never_misses_an_hour(after: datetime) -> None:
    following = read_schedule("0 * * * *", "Europe/Berlin").next_after(after)
    assert following is not None
    assert timedelta() < following - after <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("day", "slots"),
    [
        pytest.param("2026-03-29", ["2026-03-29T01:00:00"], id="a time in the gap runs once after it"),
        pytest.param("2026-10-25", ["2026-10-25T00:30:00"], id="a time that occurs twice runs once"),
        pytest.param("2026-06-01", ["2026-06-01T00:30:00"], id="an ordinary day"),
    ],
)
def test_half_past_two_in_berlin(day: str, slots: list[str]) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=berlin).astimezone(UTC)
    schedule = read_schedule("30 2 * * *", "Europe/Berlin")
    found, slot = [], schedule.next_after(start)
    while slot is not None and slot.astimezone(berlin).date().isoformat() == day:
        found.append(slot.replace(tzinfo=None).isoformat())
        slot = schedule.next_after(slot)
    assert found == slots
