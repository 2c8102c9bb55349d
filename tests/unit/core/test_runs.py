"""The run machine, told as stories in a cluster in memory."""

from datetime import timedelta

import pytest

from lakehouse_api.annotations import REREAD, RUN_NOW
from lakehouse_operator.core.plan import Refusal
from tests import gen
from tests.world import World, one_shot, scheduled

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def run_once(world: World, **how: object) -> None:
    """Let the driver start and end, and the operator take note."""
    world.start_driver()
    world.settle()
    world.pass_time(MINUTE)
    world.end_driver(**how)
    world.settle()


def reason(world: World, condition: str = "Ready") -> tuple[str, str] | None:
    found = world.condition(condition)
    return (found["status"], found["reason"]) if found else None


def history(world: World) -> list[tuple[str, str, int]]:
    return [(one["outcome"], one["reason"], one.get("attempts", 0)) for one in world.status.get("history", [])]


def test_a_pipeline_without_a_schedule_runs_once_for_its_spec() -> None:
    world = one_shot()
    world.settle()
    assert len(world.created) == 1
    assert reason(world) == ("Unknown", "RunPending")
    assert reason(world, "Reconciling") == ("True", "Unproven")
    run_once(world, result=gen.succeeded(rows=10, quarantined=1))
    assert reason(world) == ("True", "Ingested")
    assert world.condition("Reconciling") is None
    assert (world.status["lastRows"], world.status["lastQuarantined"]) == (10, 1)
    assert world.status["lag"] == "6m30s"
    world.pass_time(24 * HOUR)
    world.settle()
    assert len(world.created) == 1


def test_a_finished_driver_loses_its_finalizer_only_after_its_result_is_stored() -> None:
    world = one_shot()
    world.settle()
    world.start_driver()
    world.end_driver(result=gen.succeeded())
    plan = world.reconcile()
    assert [ref.name for ref in plan.release] == world.created
    assert plan.status is not None
    assert plan.status["lastRun"]["outcome"] == "Succeeded"


def test_suspending_does_not_change_which_spec_has_run() -> None:
    world = one_shot()
    world.settle()
    run_once(world, result=gen.succeeded())
    world.edit(suspend=True)
    world.settle()
    world.edit(suspend=False)
    world.settle()
    assert len(world.created) == 1
    assert reason(world) == ("True", "Ingested")


def test_a_changed_spec_runs_again_and_changing_it_back_runs_under_a_new_name() -> None:
    world = one_shot()
    world.settle()
    run_once(world, result=gen.succeeded())
    world.edit(target={"table": "bronze.other"})
    world.settle()
    run_once(world, result=gen.succeeded())
    world.edit(target={"table": "bronze.crm_accounts"})
    world.settle()
    run_once(world, result=gen.succeeded())
    assert len(set(world.created)) == 3


def test_asking_for_a_re_read_runs_a_pipeline_without_a_schedule_again() -> None:
    world = one_shot()
    world.settle()
    run_once(world, result=gen.succeeded())
    world.annotate(REREAD, "after-the-fix")
    world.settle()
    assert len(world.created) == 2


def test_a_run_now_token_starts_exactly_one_run() -> None:
    world = scheduled()
    world.settle()
    world.annotate(RUN_NOW, "please")
    world.settle()
    assert len(world.created) == 1
    run_once(world, result=gen.succeeded())
    world.pass_time(MINUTE)
    world.settle()
    assert len(world.created) == 1
    assert world.status["lastHandledRunNow"] == "please"


def test_a_run_now_token_on_a_new_pipeline_is_the_run_of_its_spec() -> None:
    world = one_shot()
    world.annotate(RUN_NOW, "first")
    world.settle()
    run_once(world, result=gen.succeeded())
    assert len(world.created) == 1
    assert world.condition("Reconciling") is None


def test_a_run_now_token_waits_for_the_active_run() -> None:
    world = one_shot()
    world.settle()
    world.annotate(RUN_NOW, "please")
    world.settle()
    assert len(world.created) == 1
    assert world.status["waiting"]["reason"] == "PreviousRunActive"
    run_once(world, result=gen.succeeded())
    assert len(world.created) == 2


def test_a_run_now_token_on_a_suspended_pipeline_is_skipped() -> None:
    world = scheduled(suspend=True)
    world.annotate(RUN_NOW, "please")
    world.settle()
    assert history(world) == [("Skipped", "Suspended", 0)]
    world.edit(suspend=False)
    world.settle()
    assert world.created == []


def test_a_schedule_runs_each_slot_and_says_when_the_next_one_is() -> None:
    world = scheduled("0 * * * *")
    world.settle()
    assert world.created == []
    assert world.status["nextRunTime"] == "2026-11-23T23:00:00Z"
    for _ in range(3):
        world.pass_time(HOUR)
        world.settle()
        run_once(world, result=gen.succeeded())
    assert sorted(world.slots_run) == ["2026-11-23T23:00:00Z", "2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z"]


def test_of_several_missed_slots_the_latest_runs_and_the_others_are_recorded() -> None:
    world = scheduled("*/10 * * * *")
    world.settle()
    world.pass_time(HOUR)
    world.settle()
    assert world.slots_run == {"2026-11-23T23:00:00Z"}
    skipped = world.status["history"][0]
    assert (skipped["reason"], skipped["skipped"]) == ("Superseded", 5)
    assert (skipped["firstSlot"], skipped["slot"]) == ("2026-11-23T22:10:00Z", "2026-11-23T22:50:00Z")


def test_a_slot_missed_for_longer_than_the_starting_deadline_is_skipped() -> None:
    world = scheduled("0 0 * * *", startingDeadline="30m")
    world.settle()
    world.pass_time(3 * HOUR)
    world.settle()
    assert world.created == []
    assert history(world) == [("Skipped", "DeadlineMissed", 0)]


def test_slots_that_pass_while_suspended_are_one_record() -> None:
    world = scheduled("0 * * * *", suspend=True)
    for _ in range(3):
        world.pass_time(HOUR)
        world.settle()
    record = world.status["history"][0]
    assert (record["reason"], record["skipped"]) == ("Suspended", 3)
    assert "nextRunTime" not in world.status


def skipped(world: World) -> list[tuple[str, str]]:
    return [(one["slot"], one["reason"]) for one in world.status["history"] if one["outcome"] == "Skipped"]


def test_slots_skipped_before_and_after_one_that_waits_for_its_retry_are_two_records() -> None:
    world = scheduled("0 * * * *", suspend=True, retry={"maxAttempts": 2, "backoff": "10h", "maxBackoff": "10h"})
    world.pass_time(HOUR)
    world.settle()
    world.edit(suspend=False)
    world.pass_time(HOUR)
    world.settle()
    run_once(world, code=1)
    world.edit(suspend=True)
    world.pass_time(HOUR)
    world.settle()
    assert world.slots_run == {"2026-11-24T00:00:00Z"}
    assert skipped(world) == [("2026-11-24T01:00:00Z", "Suspended"), ("2026-11-23T23:00:00Z", "Suspended")]


def test_slots_skipped_before_and_after_a_run_that_no_history_keeps_are_two_records() -> None:
    world = scheduled("0 * * * *", history={"successful": 0, "failed": 0})
    for _ in range(2):
        world.pass_time(2 * HOUR)
        world.settle()
        run_once(world, result=gen.succeeded())
    assert world.slots_run == {"2026-11-24T00:00:00Z", "2026-11-24T02:00:00Z"}
    assert skipped(world) == [("2026-11-24T01:00:00Z", "Superseded"), ("2026-11-23T23:00:00Z", "Superseded")]


def test_editing_the_schedule_does_not_make_past_times_due() -> None:
    world = scheduled("0 23 * * *")
    world.settle()
    world.pass_time(timedelta(minutes=30))
    world.edit(schedule="15 22 * * *")
    world.settle()
    assert world.created == []


def test_a_due_slot_waits_while_the_run_before_it_is_active() -> None:
    world = scheduled("0 * * * *", timeout="5h")
    world.settle()
    world.pass_time(HOUR)
    world.settle()
    world.start_driver()
    world.pass_time(2 * HOUR)
    world.settle()
    assert len(world.created) == 1
    assert world.status["waiting"]["reason"] == "PreviousRunActive"
    world.end_driver(result=gen.succeeded())
    world.settle()
    assert "2026-11-24T01:00:00Z" in world.slots_run


def test_replace_ends_the_active_run_and_waits_for_it_to_be_gone() -> None:
    world = scheduled("0 * * * *", concurrencyPolicy="Replace")
    world.settle()
    world.pass_time(HOUR)
    world.settle()
    world.start_driver()
    world.pass_time(HOUR)
    world.settle()
    assert len(world.created) == 1
    assert world.status["active"][0]["phase"] == "Stopping"
    assert "deletionTimestamp" in world.pods[world.created[0]]["metadata"]
    world.end_driver(code=143)
    world.settle()
    assert len(world.created) == 2
    assert ("Skipped", "Replaced", 1) in history(world)


def test_a_failure_is_retried_after_a_wait_and_ends_after_max_attempts() -> None:
    world = one_shot(retry={"maxAttempts": 2, "backoff": "30s", "maxBackoff": "10m"})
    world.settle()
    run_once(world, code=75, result=gen.failed())
    assert reason(world, "Reconciling") == ("True", "Retrying")
    assert len(world.created) == 1
    world.pass_time(MINUTE)
    world.settle()
    run_once(world, code=75, result=gen.failed())
    assert history(world) == [("Failed", "StoreUnavailable", 2)]
    assert reason(world) == ("False", "StoreUnavailable")
    assert reason(world, "Stalled") == ("True", "StoreUnavailable")


def test_a_failure_that_no_retry_can_mend_is_not_retried() -> None:
    world = one_shot()
    world.settle()
    run_once(world, code=64, result=gen.failed("SchemaMismatch", retry=False))
    assert history(world) == [("Failed", "SchemaMismatch", 1)]


def test_an_eviction_does_not_count_as_a_failure() -> None:
    world = one_shot(retry={"maxAttempts": 1, "backoff": "30s", "maxBackoff": "30s"})
    world.settle()
    for name in world.live():
        world.pods[name] = gen.with_status(world.pods[name], phase="Failed", reason="Evicted", message="low on memory")
    world.settle()
    assert world.status["retry"]["failures"] == 0
    world.pass_time(MINUTE)
    world.settle()
    assert len(world.created) == 2


def test_a_changed_spec_is_tried_at_once_instead_of_after_the_wait() -> None:
    world = scheduled("0 * * * *", retry={"maxAttempts": 3, "backoff": "10m", "maxBackoff": "10m"})
    world.settle()
    world.pass_time(HOUR)
    world.settle()
    run_once(world, code=1)
    assert len(world.created) == 1
    world.edit(spark={"driver": {"memory": "4Gi"}})
    world.settle()
    assert len(world.created) == 2


def test_asking_to_run_now_gives_up_a_slot_that_waits_for_its_retry() -> None:
    world = one_shot(retry={"maxAttempts": 3, "backoff": "10m", "maxBackoff": "10m"})
    world.settle()
    run_once(world, code=1)
    world.annotate(RUN_NOW, "now")
    world.settle()
    assert len(world.created) == 2
    assert history(world) == [("Failed", "DriverFailed", 1)]


def test_a_driver_that_never_starts_ends_at_the_start_timeout_with_its_own_reason() -> None:
    world = one_shot(startTimeout="10m", retry={"maxAttempts": 1})
    world.settle()
    for name in world.live():
        world.pods[name] = gen.waiting(world.pods[name], "ImagePullBackOff", "not found")
    world.settle()
    assert world.status["active"][0]["message"].startswith("ImagePullFailed")
    world.pass_time(timedelta(minutes=11))
    world.settle()
    world.end_driver(code=137)
    world.settle()
    assert history(world) == [("Failed", "ImagePullFailed", 1)]


def test_a_driver_deleted_by_hand_is_replaced_by_the_next_attempt() -> None:
    world = one_shot(retry={"maxAttempts": 2, "backoff": "30s", "maxBackoff": "30s"})
    world.settle()
    world.start_driver()
    world.delete_driver()
    world.end_driver(code=143)
    world.settle()
    assert world.status["retry"]["reason"] == "DriverDeleted"
    world.pass_time(MINUTE)
    world.settle()
    assert len(world.created) == 2


def test_a_driver_deleted_before_it_was_bound_is_given_up_at_once() -> None:
    world = one_shot()
    world.settle()
    world.delete_driver()
    world.settle()
    assert world.pods == {}
    assert world.status["retry"]["reason"] == "DriverDeleted"


def test_a_driver_deleted_while_its_kubelet_may_be_starting_it_has_no_successor_before_its_end() -> None:
    world = one_shot(retry={"maxAttempts": 2, "backoff": "30s", "maxBackoff": "30s"})
    world.settle()
    world.bind_driver()
    world.delete_driver()
    world.settle()
    world.pass_time(MINUTE)
    world.settle()
    assert len(world.created) == 1
    world.start_driver()
    world.end_driver(code=143)
    world.settle()
    world.pass_time(MINUTE)
    world.settle()
    assert len(world.created) == 2


def test_a_driver_that_vanished_is_replaced_by_the_next_attempt() -> None:
    world = one_shot(retry={"maxAttempts": 2, "backoff": "30s", "maxBackoff": "30s"})
    world.settle()
    world.pods.clear()
    world.settle()
    assert world.status["retry"]["reason"] == "DriverLost"


def test_a_lost_driver_that_a_slower_clock_sees_alive_is_forgotten_once_its_pod_is_gone() -> None:
    world = one_shot(retry={"maxAttempts": 2, "backoff": "30m", "maxBackoff": "30m"})
    world.settle()
    world.start_driver()
    world.delete_driver()
    world.pass_time(6 * MINUTE)
    world.settle()
    assert world.status["retry"]["reason"] == "NodeLost"
    world.pass_time(-MINUTE)
    world.settle()
    assert [run["pod"] for run in world.status["active"]] == world.created
    world.pods.clear()
    world.settle()
    assert "active" not in world.status
    world.pass_time(HOUR)
    world.settle()
    assert len(world.created) == 2


def test_a_refused_pod_counts_as_a_failed_attempt_and_leaves_no_config_map() -> None:
    world = one_shot(retry={"maxAttempts": 2, "backoff": "30s", "maxBackoff": "30s"})
    world.refusal = Refusal(reason="QuotaExceeded", message="exceeded quota: pods=0")
    world.settle()
    assert world.status["retry"]["reason"] == "QuotaExceeded"
    assert world.config_maps == set()
    world.refusal = None
    world.pass_time(MINUTE)
    world.settle()
    assert len(world.created) == 1


@pytest.mark.parametrize(
    "policy", [pytest.param("Forbid", id="after its last attempt"), pytest.param("Replace", id="for a newer slot")]
)
def test_a_slot_that_never_got_a_pod_is_recorded_as_failed_when_it_is_given_up(policy: str) -> None:
    world = scheduled(
        "0 * * * *", concurrencyPolicy=policy, retry={"maxAttempts": 2, "backoff": "30m", "maxBackoff": "30m"}
    )
    world.refusal = Refusal(reason="QuotaExceeded", message="exceeded quota: pods=0")
    world.pass_time(HOUR)
    world.settle()
    world.pass_time(HOUR)
    world.settle()
    assert world.created == []
    assert [(one["slot"], one["outcome"], one["reason"]) for one in world.status["history"]] == [
        ("2026-11-23T23:00:00Z", "Failed", "QuotaExceeded")
    ]


def test_a_run_without_room_waits_and_says_so() -> None:
    world = one_shot()
    world.room = False
    world.settle()
    assert world.created == []
    assert world.status["waiting"]["reason"] == "MaxActiveRuns"
    assert reason(world) == ("Unknown", "MaxActiveRuns")
    world.room = True
    world.settle()
    assert len(world.created) == 1
    assert "waiting" not in world.status


def test_runs_beyond_the_history_lose_their_pods_and_config_maps() -> None:
    world = scheduled("0 * * * *", history={"successful": 2, "failed": 1})
    world.settle()
    for _ in range(4):
        world.pass_time(HOUR)
        world.settle()
        run_once(world, result=gen.succeeded())
    assert len(world.pods) == 2
    assert len(world.config_maps) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"schedule": "61 * * * *"}, "ScheduleInvalid", id="a minute that does not exist"),
        pytest.param({"schedule": "* * * * * *"}, "ScheduleInvalid", id="six fields"),
        pytest.param({"schedule": "@daily"}, "ScheduleInvalid", id="a macro"),
        pytest.param({"schedule": "0 * * * *", "timeZone": "Europe/Bärlin"}, "TimeZoneUnknown", id="no such zone"),
        pytest.param({"schedule": "0 * * * *", "timeZone": "../etc"}, "TimeZoneUnknown", id="a path as a zone"),
        pytest.param({"contract": {"ref": "absent"}}, "ContractMissing", id="no such contract"),
        pytest.param({"contract": {"schema": {"type": 5}}}, "ContractInvalid", id="a schema that is none"),
        pytest.param({"contract": {"schema": {"type": "array"}}}, "ContractInvalid", id="a schema of no row"),
        pytest.param({"target": {"table": "gold.secret"}}, "NotAllowed", id="a table of others"),
        pytest.param({"spark": {"serviceAccount": "admin"}}, "NotAllowed", id="an account of others"),
        pytest.param({"spark": {"conf": {"spark.master": "local"}}}, "SparkConfRefused", id="a key of ours"),
        pytest.param({"spark": {"conf": {"spark.my.password": "x"}}}, "SparkConfRefused", id="a secret in the open"),
        pytest.param(
            {"spark": {"podTemplate": {"spec": {"hostNetwork": True}}}}, "PodTemplateRefused", id="a field of ours"
        ),
        pytest.param(
            {"spark": {"podTemplate": {"spec": {"initContainers": [{"name": "root"}]}}}},
            "PodTemplateRefused",
            id="a container of its own",
        ),
        pytest.param({"spark": {"driver": {"memory": "100Mi"}}}, "InvalidSpec", id="too little memory"),
        pytest.param({"timeout": "soon"}, "InvalidSpec", id="no duration"),
        pytest.param({"timeout": "9" * 30 + "d"}, "InvalidSpec", id="a duration beyond all bounds"),
        pytest.param({"spark": {"conf": {"spark.a\nspark.master": "x"}}}, "SparkConfRefused", id="a line in a key"),
    ],
)
def test_what_cannot_run_is_stalled_with_its_reason(changes: dict[str, object], expected: str) -> None:
    world = one_shot(**changes)
    plan = world.settle()
    assert world.created == []
    assert reason(world, "Stalled") == ("True", expected)
    assert reason(world) == ("False", expected)
    assert plan.requeue_after is None
    assert [event.reason for event in world.events] == [expected]


def test_a_broken_edit_does_not_disturb_the_active_run() -> None:
    world = one_shot()
    world.settle()
    world.start_driver()
    world.edit(contract={"ref": "absent"})
    world.settle()
    assert reason(world, "Stalled") == ("True", "ContractMissing")
    assert world.status["active"][0]["phase"] == "Running"
    world.end_driver(result=gen.succeeded())
    world.settle()
    assert world.status["lastRun"]["outcome"] == "Succeeded"


def test_time_alone_changes_no_message_and_no_transition() -> None:
    world = one_shot()
    world.settle()
    run_once(world, result=gen.succeeded())
    before = world.status
    world.pass_time(100 * HOUR)
    world.settle()
    assert world.status == before
