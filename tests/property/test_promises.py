"""Whatever happens in whatever order: each breach is told once to each channel, its end once, and in that order."""

from collections import Counter, defaultdict
from copy import deepcopy
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from lakehouse_operator.core.notices import Delivery, Failure, Notice
from lakehouse_operator.core.promises import Kept
from tests.promised import SLACK, WEBHOOK, Told

REFUSED = Failure(reason="ReceiverUnavailable", message="it answered HTTP 503")
BOTH = {"freshness": "2h", "maxDuration": "1h"}
SLAS = (BOTH, BOTH, {"freshness": "2h"}, {"maxDuration": "1h"}, {"freshness": "9h", "maxDuration": "8h"}, None)


class Promises(RuleBasedStateMachine):
    """A resource with promises, the couriers that run for it, and receivers that remember what they took."""

    def __init__(self) -> None:
        super().__init__()
        self.told = Told(sla=BOTH, notify=[WEBHOOK, SLACK])
        self.under_way: dict[str, Notice] = {}
        self.ended: dict[str, Delivery] = {}
        self.taken: defaultdict[str, list[Notice]] = defaultdict(list)
        self.unwritten: Counter[str] = Counter()
        self.happened: list[tuple[str, str]] = []
        self.slots = 0

    # --- the operator ------------------------------------------------------------------------------------------------

    @rule()
    def the_operator_works(self) -> None:
        """Look, store, and hand what there is to say to the courier, which tells a channel one thing at a time."""
        kept = self.told.look(*self.ended.values())
        self.ended.clear()
        self._remember(kept)
        for notice in kept.notices:
            if notice.channel_id not in self.ended:
                self.under_way.setdefault(notice.channel_id, notice)

    def _remember(self, kept: Kept) -> None:
        changes = ("FreshnessExceeded", "DurationExceeded", "SLARecovered")
        self.happened += [(event.reason, event.message) for event in kept.events if event.reason in changes]

    @rule()
    def the_operator_dies_before_it_stores_anything(self) -> None:
        self.told.judged(*self.ended.values())

    @rule(arrives=st.booleans())
    def the_operator_dies_with_messages_under_way(self, *, arrives: bool) -> None:
        """What has arrived and is not written down is said again: once for each death, and under the same id."""
        for name, delivery in self.ended.items():
            self.unwritten[name] += delivery.failure is None
        for name, notice in self.under_way.items():
            if arrives:
                self.unwritten[name] += 1
                self.taken[name].append(notice)
        self.under_way.clear()
        self.ended.clear()

    @rule(refusing=st.sampled_from(["", "", "webhook", "slack"]))
    def the_messages_under_way_arrive(self, refusing: str) -> None:
        for name, notice in self.under_way.items():
            refused = notice.channel.kind == refusing
            if not refused:
                self.taken[name].append(notice)
            self.ended[name] = self.told.delivered(notice, REFUSED if refused else None)
        self.under_way.clear()

    # --- the world ---------------------------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 61, 122]))
    def time_passes_and_the_operator_looks(self, minutes: int) -> None:
        self.told.now += timedelta(minutes=minutes)
        self.the_operator_works()

    @rule()
    def a_run_starts(self) -> None:
        self.slots += 1
        self.told.start(f"slot-{self.slots}")

    @rule()
    def a_run_succeeds(self) -> None:
        self.told.succeed(rowsRead=0)

    @rule()
    def a_run_fails(self) -> None:
        self.told.fail()

    @rule(suspended=st.booleans())
    def somebody_suspends_or_resumes(self, *, suspended: bool) -> None:
        self.told.suspended = suspended

    @rule(sla=st.sampled_from(SLAS))
    def somebody_changes_the_promises(self, sla: dict[str, Any] | None) -> None:
        self.told.sla = sla

    # --- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def looking_again_changes_nothing(self) -> None:
        again = deepcopy(self.told)
        first = again.look(*self.ended.values())
        known, conditions = again.known, again.run.conditions
        second = again.look(*self.ended.values())
        assert (second.events, again.known, again.run.conditions) == ((), known, conditions)
        assert second.notices == first.notices

    @invariant()
    def a_channel_hears_of_a_beginning_before_its_end(self) -> None:
        for taken in self.taken.values():
            said = [_about(notice) for notice in taken]
            for place, (kind, *breach) in enumerate(said):
                if kind == "lakehouse.sla.recovered":
                    assert ("lakehouse.sla.breached", *breach) in said[:place]

    @override
    def teardown(self) -> None:
        """Let every message arrive: each channel knows of everything that happened, once."""
        self.told.suspended = False
        for _ in range(80):
            self.told.now += timedelta(minutes=31)
            self.told.succeed(rowsRead=0)
            self.the_operator_works()
            self.the_messages_under_way_arrive(refusing="")
        assert self.told.open == []
        for channel in ("webhook", "slack"):
            self._everything_was_told_once(next((name for name in self.taken if name.startswith(channel)), channel))

    def _everything_was_told_once(self, channel: str) -> None:
        ids = Counter(notice.message.id for notice in self.taken[channel])
        said = Counter(_sentence(notice) for notice in {n.message.id: n for n in self.taken[channel]}.values())
        assert said == Counter(message for _, message in self.happened)
        assert sum(ids.values()) - len(ids) <= self.unwritten[channel]


def _about(notice: Notice) -> tuple[str, ...]:
    data = notice.message.document["data"]
    return notice.message.document["type"], data["promise"], data.get("slot", ""), data["since"]


def _sentence(notice: Notice) -> str:
    sentence: str = notice.message.document["data"]["message"]
    return sentence


Promises.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
TestPromises = Promises.TestCase
