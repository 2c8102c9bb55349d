"""Backfills told as stories in a cluster in memory: slice by slice, between the runs that are due."""

import json
from datetime import timedelta
from typing import Any

import pytest

from lakehouse_api.annotations import BACKFILL, REREAD, RUN_NOW
from tests import gen
from tests.world import CrashError, World, one_shot, scheduled

THREE_DAYS = json.dumps({"from": "2026-01-01", "until": "2026-01-04", "slice": "1d"})
JDBC = {"jdbc": {"dialect": "postgres", "url": "jdbc:postgresql://db.example.com:5432/shop", "table": "public.orders"}}


def ask(world: World, request: str = THREE_DAYS) -> None:
    world.annotate(BACKFILL, request)
    world.settle()


def end(world: World, **result: object) -> None:
    world.start_driver()
    world.settle()
    world.pass_time(timedelta(minutes=1))
    world.end_driver(**(result or {"result": gen.succeeded()}))
    world.settle()


def state(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.status["backfill"]
    return found


def slots(world: World) -> list[str]:
    return [run["slot"] for run in world.status.get("active", [])]


def reasons(world: World) -> list[str]:
    return [event.reason for event in world.events]


def test_slices_run_one_after_the_other_until_all_are_done() -> None:
    world = scheduled()
    ask(world)
    for done in range(3):
        assert (slots(world), state(world)["progress"]) == ([f"backfill:{state(world)['id']}/{done + 1}"], f"{done}/3")
        end(world)

    assert (slots(world), state(world)["state"], state(world)["progress"]) == ([], "Succeeded", "3/3")
    assert (state(world)["rowsWritten"], state(world)["message"]) == (30, "30 rows written, 3 quarantined.")
    assert [one for one in reasons(world) if one.startswith("Backfill")] == ["BackfillStarted", "BackfillSucceeded"]


def test_what_aged_out_of_a_topic_is_told_at_the_end() -> None:
    world = scheduled()
    ask(world)
    aged = gen.succeeded().model_copy(update={"metrics": {"rowsWritten": 1, "offsetsAged": "offsets 0 to 4"}})
    for result in (aged, gen.succeeded(), gen.succeeded()):
        end(world, result=result)

    assert state(world)["message"] == "21 rows written, 2 quarantined. Aged out: offsets 0 to 4."


def test_what_is_due_goes_before_the_next_slice() -> None:
    world = scheduled()
    ask(world)
    world.pass_time(timedelta(hours=1))
    end(world)

    assert slots(world) == ["2026-11-23T23:00:00Z"]
    end(world)
    assert slots(world)[0].endswith("/2")


def test_a_backfill_says_nothing_about_how_the_pipeline_stands() -> None:
    world = scheduled(sla={"freshness": "2h", "maxDuration": "1h"})
    world.pass_time(timedelta(hours=1))
    world.settle()
    end(world)
    told = ("lastRun", "lastRows", "lastSuccessTime", "lastScheduledSlot", "conditions")
    before = [world.status[name] for name in told], world.status["sla"]["freshAsOf"]

    ask(world)
    end(world, code=64)

    assert (state(world)["state"], state(world)["reason"]) == ("Failed", "SpecWrong")
    assert state(world)["message"].startswith("slice 1 of 3: ")
    assert ([world.status[name] for name in told], world.status["sla"]["freshAsOf"]) == before
    assert "BackfillFailed" in reasons(world)


def test_a_slice_whose_driver_died_is_tried_again_as_the_same_slice() -> None:
    world = one_shot()
    world.settle()
    end(world)
    ask(world)
    end(world, code=75)
    assert world.status["retry"]["slot"].endswith("/1")
    assert world.condition("Reconciling") is None, "the pipeline itself has what it wants"

    world.pass_time(timedelta(minutes=10))
    world.settle()

    assert (slots(world)[0].rpartition("/")[2], world.status["active"][0]["attempt"]) == ("1", 2)


def test_a_spec_that_has_not_run_yet_runs_first() -> None:
    world = one_shot()
    ask(world)
    assert slots(world)[0].startswith("spec:")
    end(world)
    assert slots(world)[0].startswith("backfill:")


def test_the_run_gets_the_range_of_its_slice_and_no_other_request() -> None:
    world = scheduled()
    world.annotate(REREAD, "token")
    world.annotate(BACKFILL, json.dumps(json.loads(THREE_DAYS) | {"replace": True}))

    launch = world.reconcile().launch

    assert launch is not None
    job = json.loads(launch.config_map["data"]["run.json"])["job"]
    assert job["backfill"] == {"from": "2026-01-01", "until": "2026-01-02", "replace": True}
    assert "reread" not in job


def test_removing_the_annotation_ends_what_is_left_and_another_value_begins_anew() -> None:
    world = scheduled()
    ask(world)
    end(world, code=75)
    first = state(world)["id"]
    world.annotate(BACKFILL, "2026-02-01/2026-03-01")
    world.settle()
    assert (state(world)["id"] == first, state(world)["slices"], world.status.get("retry")) == (False, 1, None)
    assert slots(world) == [f"backfill:{state(world)['id']}/1"]

    world.body["metadata"]["annotations"].pop(BACKFILL)
    world.settle()
    assert state(world)["state"] == "Withdrawn"
    end(world)
    assert (slots(world), state(world).get("slicesDone", 0)) == ([], 0)


def test_a_suspended_pipeline_keeps_its_backfill_for_later() -> None:
    world = scheduled(suspend=True)
    ask(world)
    assert (slots(world), state(world)["state"]) == ([], "Running")

    world.edit(suspend=False)
    world.settle()
    assert slots(world)[0].endswith("/1")


def test_a_slice_that_made_room_for_a_slot_is_done_again() -> None:
    world = scheduled(concurrencyPolicy="Replace")
    ask(world)
    world.start_driver()
    world.pass_time(timedelta(hours=1))
    world.settle()
    world.end_driver(code=143)
    world.settle()
    assert slots(world) == ["2026-11-23T23:00:00Z"]
    end(world)

    assert (slots(world)[0].endswith("/1"), state(world)["progress"]) == (True, "0/3")


def test_a_slice_that_waits_for_its_next_attempt_makes_room_for_a_person_and_comes_again() -> None:
    world = scheduled()
    ask(world)
    end(world, code=75)
    world.annotate(RUN_NOW, "please")
    world.settle()
    assert slots(world) == ["run-now:please"]
    end(world)

    assert (world.status["active"][0]["slot"][-2:], world.status["active"][0]["attempt"]) == ("/1", 2)
    assert (world.status["history"][-1]["outcome"], world.status["history"][-1]["reason"]) == ("Skipped", "Replaced")


def test_a_slice_that_ended_before_the_status_knew_of_it_counts() -> None:
    world = scheduled(history={"successful": 0})
    world.annotate(BACKFILL, THREE_DAYS)
    with pytest.raises(CrashError):
        world.reconcile(crash_after=2)
    assert "backfill" not in world.status
    world.end_driver(result=gen.succeeded())
    world.settle()

    assert (state(world)["progress"], len(world.created)) == ("1/3", 2)


BAD = {
    "no request": ("yesterday", "neither FROM/UNTIL nor a JSON object"),
    "an unknown member": ('{"from": "2026-01-01", "until": "2026-01-02", "upto": 1}', "upto"),
    "half a range": ('{"from": "2026-01-01"}', "belong together"),
    "nothing": ("{}", "missing"),
    "a list": ("[]", "neither FROM/UNTIL nor a JSON object"),
    "reversed": ("2026-02-01/2026-01-01", "is not before"),
    "empty": ("2026-02-01/2026-02-01", "is not before"),
    "no date": ("2026-02-30/2026-03-01", "'2026-02-30' is no date"),
    "two kinds": ("2026-02-01/2026-03-01T00:00:00Z", "not of the same kind"),
    "one zone": ("2026-02-01T00:00:00/2026-03-01T00:00:00Z", "only one has a zone"),
    "a number for files": ("1/1000", "known by its time"),
    "too many slices": ('{"from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z", "slice": "1m"}', "1000"),
    "hours between dates": ('{"from": "2026-01-01", "until": "2026-01-02", "slice": "1h"}', "whole days"),
    "a slice that is none": ('{"from": "2026-01-01", "until": "2026-01-02", "slice": "soon"}', "duration"),
    "a slice of folders": ('{"prefix": "2026/", "slice": "1d"}', "give from and until"),
}


@pytest.mark.parametrize(("request_", "said"), BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_told_and_keeps_no_run_from_starting(request_: str, said: str) -> None:
    world = scheduled()
    ask(world, request_)

    assert (state(world)["state"], state(world)["reason"]) == ("Refused", "BackfillInvalid")
    assert said in state(world)["message"]
    assert reasons(world).count("BackfillRefused") == 1
    world.pass_time(timedelta(hours=1))
    world.settle()
    assert (slots(world), world.condition("Stalled")) == (["2026-11-23T23:00:00Z"], None)


def test_a_source_that_is_read_as_a_whole_has_no_range() -> None:
    world = scheduled(source=JDBC)
    world.config = gen.config(tenancy=[{"namespace": "lakehouse", "tables": ["bronze.*"], "uris": ["jdbc:*"]}])
    ask(world)
    assert "only with spec.incremental" in state(world)["message"]

    world.edit(incremental={"cursor": "id"})
    ask(world, json.dumps({"prefix": "2026/", "from": "1", "until": "9"}))
    assert "prefix chooses among files" in state(world)["message"]

    ask(world, json.dumps({"from": "1", "until": "1000", "slice": "400"}))
    assert (state(world)["state"], state(world)["slices"]) == ("Running", 3)


def test_a_person_who_wants_a_run_now_gets_it_before_the_next_slice() -> None:
    world = scheduled()
    ask(world)
    world.annotate(RUN_NOW, "please")
    end(world)
    assert slots(world) == ["run-now:please"]
