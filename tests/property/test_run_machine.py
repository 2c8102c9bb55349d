"""Whatever people, kubelets, crashes and the clock do: one driver at a time, every slot accounted for, and rest."""

import contextlib
import json
from copy import deepcopy
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from lakehouse_api.annotations import BACKFILL, RUN_NOW
from lakehouse_operator.core import ingest_pipeline
from lakehouse_operator.core.instants import format_time, parse_time
from lakehouse_operator.core.plan import Refusal
from lakehouse_operator.core.schedule import read_schedule
from tests import gen
from tests.world import CrashError, scheduled

EXPRESSION = "*/20 * * * *"


class RunMachine(RuleBasedStateMachine):
    """Everything that can happen to a scheduled pipeline, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = scheduled(EXPRESSION, retry={"maxAttempts": 2, "backoff": "1m", "maxBackoff": "5m"})
        self.tokens: list[str] = []
        self.backfills = 0

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.world.pass_time(timedelta(minutes=minutes))

    @rule()
    def the_operator_works(self) -> None:
        self.world.reconcile()

    @rule(step=st.integers(0, 6))
    def the_operator_dies_in_the_middle(self, step: int) -> None:
        with contextlib.suppress(CrashError):
            self.world.reconcile(crash_after=step)

    @rule()
    def the_scheduler_binds_the_driver(self) -> None:
        self.world.bind_driver()

    @rule()
    def the_kubelet_starts_the_driver(self) -> None:
        self.world.start_driver()

    @rule()
    def the_driver_succeeds(self) -> None:
        self.world.end_driver(result=gen.succeeded())

    @rule(code=st.sampled_from([1, 64, 65, 75, 137, 143]))
    def the_driver_fails(self, code: int) -> None:
        self.world.end_driver(code=code)

    @rule()
    def the_node_evicts_the_driver(self) -> None:
        for name in self.world.live():
            self.world.pods[name] = gen.with_status(self.world.pods[name], phase="Failed", reason="Evicted")

    @rule()
    def somebody_deletes_the_driver(self) -> None:
        self.world.delete_driver()

    @precondition(lambda self: self.world.status.get("active"))
    @rule()
    def the_driver_vanishes(self) -> None:
        for name in self.world.live():
            del self.world.pods[name]

    @rule()
    def somebody_asks_to_run_now(self) -> None:
        self.tokens.append(f"token-{len(self.tokens)}")
        self.world.annotate(RUN_NOW, self.tokens[-1])

    @rule(days=st.integers(1, 3))
    def somebody_asks_for_a_backfill(self, days: int) -> None:
        self.backfills += 1
        request = {"from": "2026-01-01", "until": f"2026-01-0{days + 1}", "slice": "1d", "token": str(self.backfills)}
        self.world.annotate(BACKFILL, json.dumps(request))

    @rule()
    def somebody_withdraws_the_backfill(self) -> None:
        self.world.body["metadata"].get("annotations", {}).pop(BACKFILL, None)

    @rule(suspend=st.booleans())
    def somebody_suspends_or_resumes(self, *, suspend: bool) -> None:
        self.world.edit(suspend=suspend)

    @rule(policy=st.sampled_from(["Forbid", "Replace"]))
    def somebody_changes_the_policy(self, policy: str) -> None:
        self.world.edit(concurrencyPolicy=policy)

    @rule(table=st.sampled_from(["bronze.a", "bronze.b", "gold.forbidden"]))
    def somebody_changes_the_target(self, table: str) -> None:
        self.world.edit(target={"table": table})

    @rule(successful=st.integers(0, 2), failed=st.integers(0, 2))
    def somebody_changes_how_much_history_is_kept(self, successful: int, failed: int) -> None:
        self.world.edit(history={"successful": successful, "failed": failed})

    @rule(deadline=st.sampled_from(["1m", "1h"]))
    def somebody_changes_the_starting_deadline(self, deadline: str) -> None:
        self.world.edit(startingDeadline=deadline)

    @rule(room=st.booleans())
    def other_runs_take_or_leave_the_room(self, *, room: bool) -> None:
        self.world.room = room

    @rule(refuses=st.booleans())
    def the_quota_is_used_up_or_free(self, *, refuses: bool) -> None:
        self.world.refusal = Refusal(reason="QuotaExceeded", message="no more Pods") if refuses else None

    @invariant()
    def at_most_one_driver_is_alive(self) -> None:
        assert len(self.world.live()) <= 1

    @invariant()
    def each_slice_of_a_backfill_counts_once(self) -> None:
        backfill = self.world.status.get("backfill", {})
        assert backfill.get("rowsWritten", 0) == gen.succeeded().metrics["rowsWritten"] * backfill.get("slicesDone", 0)

    @invariant()
    def the_same_world_gives_the_same_plan(self) -> None:
        world = self.world
        first = ingest_pipeline.reconcile(world.resource, world.seen(), world.now, world.config)
        again = ingest_pipeline.reconcile(deepcopy(world.resource), world.seen(), world.now, world.config)
        assert first == again

    @override
    def teardown(self) -> None:
        """Let everything end well: the pipeline comes to rest and every slot is accounted for."""
        world = self.world
        world.room, world.refusal = True, None
        world.edit(suspend=False, target={"table": "bronze.a"}, concurrencyPolicy="Forbid", startingDeadline="100d")
        for _ in range(12):
            world.settle()
            world.start_driver()
            world.end_driver(result=gen.succeeded())
            world.pass_time(timedelta(minutes=6))
        world.settle()
        world.start_driver()
        world.end_driver(result=gen.succeeded())
        world.settle()
        self._every_slot_is_accounted_for()
        assert world.status.get("backfill", {}).get("state") != "Running"
        assert all("finalizers" not in pod["metadata"] for pod in world.pods.values())
        assert world.status["conditions"][0]["status"] == "True"

    def _every_slot_is_accounted_for(self) -> None:
        world = self.world
        schedule = read_schedule(EXPRESSION, "Etc/UTC")
        last = parse_time(world.status["lastScheduledSlot"]) if "lastScheduledSlot" in world.status else gen.NOW
        slot, decided = schedule.next_after(gen.NOW), set()
        while slot and slot <= last:
            decided.add(format_time(slot))
            slot = schedule.next_after(slot)
        assert decided - world.slots_recorded == set()
        assert slot is not None
        assert slot > world.now, "a slot came due and was neither run nor skipped"
        if self.tokens:
            assert world.status["lastHandledRunNow"] == self.tokens[-1]


RunMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking a story of 40 steps takes longer than reading it
)
TestRunMachine = RunMachine.TestCase
