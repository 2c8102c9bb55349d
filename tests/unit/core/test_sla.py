"""When a promise is broken and when it is kept again."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse_api.sla import Sla
from lakehouse_operator.core.instants import format_time
from tests import gen
from tests.promised import WEBHOOK, Told, reasons, types
from tests.world import scheduled

HOUR = timedelta(hours=1)
SLOT = "2026-11-23T22:00:00Z"


def _at(duration: timedelta) -> str:
    return format_time(gen.NOW + duration)


def _state(told: Told) -> tuple[str, str]:
    assert told.condition is not None
    return told.condition.status, told.condition.reason


def test_without_an_sla_nothing_is_judged() -> None:
    told = Told(sla=None)

    kept = told.after(days=100)

    assert (kept.status, kept.judgements, kept.due, kept.notices) == (None, (), None, ())


def test_a_promise_cannot_be_broken_before_it_was_made() -> None:
    told = Told(sla=None)
    told.after(days=9)
    told.sla = {"freshness": "2h"}

    assert told.look().due == told.now + 2 * HOUR


def test_a_resource_that_never_runs_breaches_when_it_is_as_old_as_it_may_be() -> None:
    told = Told()
    assert told.look().due == gen.NOW + 2 * HOUR
    assert _state(told) == ("True", "Met")

    kept = told.after(hours=2)

    assert _state(told) == ("False", "FreshnessExceeded")
    assert [(one.reason, one.since, one.limit) for one in told.breaches] == [("FreshnessExceeded", _at(2 * HOUR), "2h")]
    assert (types(kept), reasons(kept)) == (["lakehouse.sla.breached"], ["FreshnessExceeded"])


def test_a_breach_begins_when_the_limit_was_passed_and_not_when_it_was_noticed() -> None:
    told = Told()
    told.look()

    told.after(days=1)

    assert told.breaches[0].since == _at(2 * HOUR)


def test_a_breach_is_told_once_however_often_it_is_looked_at() -> None:
    told = Told()
    first = told.after(hours=3)
    told.deliver(first)

    later = [told.after(hours=1) for _ in range(20)]

    assert [types(kept) + reasons(kept) for kept in later] == [[]] * 20


def test_a_success_ends_a_breach_and_that_is_told_once() -> None:
    told = Told()
    told.deliver(told.after(hours=3))
    told.succeed(rowsRead=5, newestInputTime=format_time(told.now))

    kept = told.look()

    assert _state(told) == ("True", "Met")
    assert (types(kept), reasons(kept)) == (["lakehouse.sla.recovered"], ["SLARecovered"])
    assert told.deliver(kept).notices == ()
    assert told.breaches == []


def test_a_failed_run_ends_no_breach() -> None:
    told = Told()
    told.deliver(told.after(hours=3))
    told.fail()

    kept = told.look()

    assert told.open == ["FreshnessExceeded"]
    assert types(kept) == []


FRESH = {
    "rows were read: as fresh as the newest of them": (
        {"rowsRead": 5, "newestInputTime": "2026-11-23T21:30:00Z"},
        "2026-11-23T21:30:00Z",
    ),
    "there was nothing new: as fresh as the look at the source": (
        {"rowsRead": 0, "newestInputTime": "2026-11-01T00:00:00Z"},
        _at(timedelta(minutes=-1)),
    ),
    "the source does not say how new its rows are": ({"rowsRead": 5}, _at(timedelta(minutes=-1))),
    "the source's clock is ahead": ({"rowsRead": 5, "newestInputTime": "2030-01-01T00:00:00Z"}, _at(timedelta())),
    "the source says something else": ({"rowsRead": 5, "newestInputTime": "yesterday"}, _at(timedelta(minutes=-1))),
    "the source says a number": ({"rowsRead": 5, "newestInputTime": 7}, _at(timedelta(minutes=-1))),
    "the job says nothing": ({}, _at(timedelta(minutes=-1))),
}


@pytest.mark.parametrize(("metrics", "fresh"), FRESH.values(), ids=FRESH)
def test_a_table_is_as_fresh_as_the_run_can_prove(metrics: dict[str, Any], fresh: str) -> None:
    told = Told()
    told.succeed(**metrics)

    told.look()

    assert told.known is not None
    assert told.known.fresh_as_of == fresh


def test_reading_older_rows_again_makes_no_table_older() -> None:
    told = Told()
    told.succeed(rowsRead=1, newestInputTime="2026-11-23T21:59:00Z")
    told.look()
    told.succeed(rowsRead=9, newestInputTime="2020-01-01T00:00:00Z")

    told.look()

    assert told.known is not None
    assert told.known.fresh_as_of == "2026-11-23T21:59:00Z"


def test_what_is_known_outlives_the_history_of_runs() -> None:
    told = Told()
    told.now += HOUR
    told.succeed(rowsRead=0)
    told.look()
    told.fail()

    kept = told.after(minutes=30)

    assert kept.due == gen.NOW + 3 * HOUR - timedelta(minutes=1)


def test_without_a_record_the_time_of_the_last_success_counts() -> None:
    told = Told()
    told.run = told.run.model_copy(update={"last_success_time": _at(HOUR)})

    told.look()

    assert told.known is not None
    assert told.known.fresh_as_of == _at(HOUR)


def test_old_input_starts_no_breach_before_the_resource_itself_is_that_old() -> None:
    told = Told()
    told.succeed(rowsRead=1, newestInputTime="2020-01-01T00:00:00Z")

    assert told.look().due == gen.NOW + 2 * HOUR


def test_a_success_with_old_rows_ends_no_breach() -> None:
    told = Told()
    told.deliver(told.after(hours=3))
    told.succeed(rowsRead=1, newestInputTime="2020-01-01T00:00:00Z")

    told.look()

    assert told.open == ["FreshnessExceeded"]


def test_a_run_that_takes_too_long_breaches_while_it_runs() -> None:
    told = Told(sla={"maxDuration": "45m"})
    told.start(SLOT)
    assert told.look().due == gen.NOW + timedelta(minutes=45)

    kept = told.after(minutes=45)

    assert _state(told) == ("False", "DurationExceeded")
    assert (types(kept), told.breaches[0].slot) == (["lakehouse.sla.breached"], SLOT)


def test_all_attempts_of_a_slot_and_the_waits_between_them_count() -> None:
    told = Told(sla={"maxDuration": "45m"})
    told.start(SLOT)
    told.after(minutes=20)
    told.wait_for_retry(SLOT)
    told.after(minutes=10)
    told.start(SLOT, attempt=2)

    assert told.after(minutes=14).notices == ()
    told.after(minutes=1)

    assert told.open == ["DurationExceeded"]


def test_the_end_of_the_run_ends_the_breach_however_it_ended() -> None:
    told = Told(sla={"maxDuration": "45m"})
    told.start(SLOT)
    told.deliver(told.after(hours=1))
    told.fail()

    assert types(told.look()) == ["lakehouse.sla.recovered"]
    assert _state(told) == ("True", "Met")


def test_the_next_run_that_takes_too_long_is_another_breach() -> None:
    told = Told(sla={"maxDuration": "45m"})
    told.start(SLOT)
    told.deliver(told.after(hours=1))
    told.start("2026-11-23T23:00:00Z")
    ended = told.look()
    told.deliver(ended)

    again = told.after(hours=1)

    assert (types(ended), types(again)) == (["lakehouse.sla.recovered"], ["lakehouse.sla.breached"])
    assert ended.notices[0].message.id != again.notices[0].message.id


def test_both_promises_can_be_broken_at_once_and_each_is_told() -> None:
    told = Told(sla={"freshness": "2h", "maxDuration": "1h"})
    told.start(SLOT)

    first = told.deliver(told.after(hours=3))

    assert told.open == ["FreshnessExceeded", "DurationExceeded"]
    assert _state(told) == ("False", "FreshnessExceeded")
    assert told.condition is not None
    assert "spec.sla.freshness" in told.condition.message
    assert "spec.sla.maxDuration" in told.condition.message
    assert types(first) == ["lakehouse.sla.breached"], "the second is told after the first was taken"


def test_nobody_judges_what_is_suspended() -> None:
    told = Told(suspended=True)

    kept = told.after(days=9)

    assert (_state(told), kept.due, kept.notices) == (("Unknown", "Suspended"), None, ())


def test_the_time_that_a_resource_was_suspended_starts_no_breach() -> None:
    told = Told(suspended=True)
    told.after(days=9)
    told.suspended = False

    kept = told.look()

    assert _state(told) == ("True", "Met")
    assert kept.due == told.now + 2 * HOUR


def test_suspending_ends_no_breach_and_resuming_tells_it_no_second_time() -> None:
    told = Told()
    told.deliver(told.after(hours=3))
    told.suspended = True
    told.after(days=1)
    told.suspended = False

    resumed = told.look()
    told.succeed(rowsRead=0)
    ended = told.look()

    assert (types(resumed), types(ended)) == ([], ["lakehouse.sla.recovered"])


def test_a_promise_that_is_withdrawn_is_broken_no_more() -> None:
    told = Told()
    told.deliver(told.after(hours=3))
    told.sla = None

    kept = told.look()

    assert (types(kept), told.condition) == (["lakehouse.sla.recovered"], None)
    told.deliver(kept)
    assert told.known is None


def test_a_longer_limit_ends_a_breach_and_a_shorter_one_begins_another() -> None:
    told = Told()
    told.deliver(first := told.after(hours=3))
    told.sla = {"freshness": "1d"}
    told.deliver(told.after(minutes=1))
    told.sla = {"freshness": "2h"}

    again = told.after(minutes=1)

    assert types(again) == ["lakehouse.sla.breached"]
    assert again.notices[0].message.id != first.notices[0].message.id
    assert told.breaches[0].since == _at(3 * HOUR + timedelta(minutes=1, seconds=1))


def test_the_condition_stands_still_while_time_passes() -> None:
    told = Told(sla={"freshness": "2h", "maxDuration": "1h"})
    told.start(SLOT)
    told.deliver(told.deliver(told.after(hours=3)))
    before, known = told.run.conditions, told.known

    for _ in range(5):
        told.after(hours=7)

    assert (told.run.conditions, told.known) == (before, known)


def test_what_is_late_is_stored_before_a_launch_and_what_is_being_told_holds_up_none() -> None:
    world = scheduled("0 * * * *", sla={"freshness": "80m"}, notify=[WEBHOOK])
    world.pass_time(timedelta(minutes=90))

    plans = [world.reconcile() for _ in range(2)]

    assert [plan.launch is not None for plan in plans] == [False, True]
    assert [len(plan.notices) for plan in plans] == [1, 1]
    assert world.condition("SLAMet") is not None


def test_of_a_spec_that_cannot_be_read_nothing_is_judged_and_nothing_forgotten() -> None:
    world = scheduled("0 * * * *", sla={"freshness": "90m"}, notify=[])
    world.pass_time(timedelta(hours=2))
    world.reconcile()
    known = world.status["sla"]

    world.edit(sla={"freshness": "often"})
    world.reconcile()

    assert (world.status["sla"], world.condition("SLAMet")) == (known, None)


@pytest.mark.parametrize("wrong", [{}, {"freshness": "0s"}, {"freshness": "often"}, {"latency": "1h"}])
def test_an_sla_that_says_nothing_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Sla.model_validate(wrong)
