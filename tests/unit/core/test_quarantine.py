"""Runs that tend the quarantine, told as stories in a cluster in memory: they are not taken for runs that read."""

from datetime import timedelta

from lakehouse_api.annotations import QUARANTINE, REREAD, RUN_NOW
from tests import gen
from tests.world import World, one_shot, scheduled

TOKEN = "quarantine/1"
REPLAY = '{"verb": "replay"}'


def ask(world: World, request: str = REPLAY, token: str = TOKEN) -> None:
    world.annotate(QUARANTINE, request)
    world.annotate(RUN_NOW, token)
    world.settle()


def end(world: World, **result: object) -> None:
    world.start_driver()
    world.settle()
    world.pass_time(timedelta(minutes=1))
    world.end_driver(**result)
    world.settle()


def test_a_spec_that_has_not_run_yet_still_does_after_a_replay() -> None:
    world = one_shot()

    ask(world)
    end(world, result=gen.succeeded())

    assert [run["slot"].partition(":")[0] for run in world.status["active"]] == ["spec"]
    assert world.status["lastHandledRunNow"] == TOKEN


def test_a_replay_says_nothing_about_what_the_source_had() -> None:
    world = scheduled(sla={"freshness": "2h"})
    world.pass_time(timedelta(hours=1))
    world.settle()
    end(world, result=gen.succeeded(rows=10, quarantined=2))
    before = (world.status["lastRows"], world.status["lastSuccessTime"], world.status["sla"]["freshAsOf"])

    world.pass_time(timedelta(minutes=30))
    ask(world)
    end(world, result=gen.succeeded(rows=1, quarantined=1))

    assert world.status["lastRun"]["slot"] == f"run-now:{TOKEN}"
    assert before == (world.status["lastRows"], world.status["lastSuccessTime"], world.status["sla"]["freshAsOf"])


def test_a_request_that_cannot_be_read_stops_the_pipeline_until_another_run_is_asked_for() -> None:
    world = scheduled()
    ask(world, request="replay, please")
    stalled = world.condition("Stalled")
    assert stalled is not None
    assert (stalled["reason"], world.created) == ("QuarantineRequestInvalid", [])

    world.annotate(RUN_NOW, "quarantine/without")
    world.body["metadata"]["annotations"].pop(QUARANTINE)
    world.settle()
    missing = world.condition("Stalled")
    assert missing is not None
    assert "it is missing" in missing["message"]

    world.annotate(RUN_NOW, "again")
    world.settle()
    assert (world.condition("Stalled"), len(world.created)) == (None, 1)


def test_an_old_request_changes_no_later_run() -> None:
    world = one_shot()
    world.annotate(QUARANTINE, "nonsense from long ago")
    world.annotate(REREAD, "token")
    world.settle()

    assert len(world.created) == 1
    assert world.condition("Stalled") is None


def test_a_replay_whose_driver_died_is_tried_again_as_the_same_request() -> None:
    world = scheduled()
    ask(world)
    end(world, code=75)
    assert world.status["retry"]["slot"] == f"run-now:{TOKEN}"

    world.pass_time(timedelta(minutes=10))
    world.settle()

    assert (len(world.created), world.status["active"][0]["slot"]) == (2, f"run-now:{TOKEN}")
