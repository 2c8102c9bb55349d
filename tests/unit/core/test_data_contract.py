"""A contract over its life: what it takes up, what it refuses, and what it remembers."""

from datetime import timedelta
from typing import Any

import pytest

from lakehouse_api.data_contract import Compatibility, Consumer
from lakehouse_operator.core import data_contract
from lakehouse_operator.core.compatibility import compare
from lakehouse_operator.core.compatibility_verdict import Outcome, Promise, Verdict
from lakehouse_operator.core.contracts import LARGEST_SCHEMA, in_force, version_of
from lakehouse_operator.core.plan import Plan
from lakehouse_operator.core.resource import Resource
from tests import gen

USERS = (Consumer(name="accounts"),)
UNTOLD = Verdict(mode=Compatibility.BACKWARD, outcome=Outcome.UNKNOWN, unproven=(Promise.ROWS,), note="Too slow.")


def schema(longest: int, **keywords: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"Id": {"type": "string", "maxLength": longest}}, **keywords}


class Contract:
    """A DataContract, the operator that looks at it, and a clock."""

    def __init__(self, **spec: Any) -> None:
        self.body = gen.contract_body(**spec)
        self.now = gen.NOW
        self.consumers: tuple[Consumer, ...] = USERS

    def edit(self, **spec: Any) -> None:
        self.body["spec"].update(spec)
        self.body["metadata"]["generation"] += 1

    def look(self, verdict: Verdict | None = None) -> Plan:
        """Reconcile once; the comparison that is asked for is made, unless its outcome is given."""
        self.now += timedelta(minutes=1)
        resource = Resource.read(self.body)
        asked = data_contract.question(resource)
        if asked and verdict is None:
            verdict = compare(asked.old, asked.new, asked.mode)
        seen = data_contract.Seen(consumers=self.consumers, verdict=verdict if asked else None)
        plan = data_contract.reconcile(resource, seen, self.now, gen.config())
        self.body["status"] = dict(plan.status or self.body["status"])
        return plan

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["status"]
        return found

    @property
    def in_force(self) -> int:
        found: int = (in_force(self.body) or {})["properties"]["Id"]["maxLength"]
        return found

    def condition(self, kind: str = "Compatible") -> tuple[str, str] | None:
        found = next((one for one in self.status["conditions"] if one["type"] == kind), None)
        return (found["status"], found["reason"]) if found else None


def test_before_anybody_has_looked_the_schema_of_the_spec_is_in_force() -> None:
    assert Contract(schema=schema(10)).in_force == 10
    assert in_force(None) is None


def test_a_refused_version_waits_until_the_spec_names_it() -> None:
    contract = Contract(schema=schema(10))
    contract.look()
    contract.edit(schema=schema(5))
    contract.look()
    assert (contract.in_force, contract.condition()) == (10, ("False", "BreakingChange"))
    assert contract.condition("Stalled") == ("True", "BreakingChange")

    contract.edit(acceptBreaking="0" * 12)
    contract.look()
    assert contract.in_force == 10
    contract.edit(acceptBreaking=version_of(schema(5)))
    contract.look()

    assert (contract.in_force, contract.condition()) == (5, ("True", "BreakingAccepted"))
    assert contract.condition("Stalled") is None
    assert [one["verdict"] for one in contract.status["versions"]] == ["BreakingAccepted", "FirstVersion"]


def test_accepting_one_version_accepts_no_other() -> None:
    contract = Contract(schema=schema(10))
    contract.look()
    contract.edit(schema=schema(5), acceptBreaking=version_of(schema(5)))
    contract.look()
    contract.edit(schema=schema(4))
    contract.look()

    assert contract.in_force == 5


def test_what_was_compared_once_is_not_compared_again() -> None:
    contract = Contract(schema=schema(10))
    contract.look()
    contract.edit(schema=schema(5))
    first = contract.look()
    contract.edit(owner="somebody else")

    assert data_contract.question(Resource.read(contract.body)) is None
    assert contract.look().events == ()
    assert contract.condition() == ("False", "BreakingChange")
    assert len(first.events) == 1


def test_another_mode_is_another_question() -> None:
    contract = Contract(schema=schema(10), compatibility="Full")
    contract.look()
    contract.edit(schema=schema(20))
    contract.look()
    assert contract.condition() == ("False", "BreakingChange")

    contract.edit(compatibility="Backward")
    contract.look()

    assert (contract.in_force, contract.condition()) == (20, ("True", "Compatible"))


def test_what_nobody_can_tell_is_not_taken_up_and_asked_again_for_another_generation() -> None:
    contract = Contract(schema=schema(10))
    contract.look()
    contract.edit(schema=schema(20))
    contract.look(UNTOLD)
    assert (contract.in_force, contract.condition()) == (10, ("Unknown", "CompatibilityUnknown"))
    assert contract.status["proposed"]["summary"] == "Too slow."
    assert data_contract.question(Resource.read(contract.body)) is None

    contract.edit(owner="somebody else")
    contract.look()

    assert contract.in_force == 20


def test_while_the_answer_is_not_there_nothing_is_said() -> None:
    contract = Contract(schema=schema(10))
    contract.look()
    contract.edit(schema=schema(20))

    plan = data_contract.reconcile(Resource.read(contract.body), data_contract.Seen(), gen.NOW, gen.config())

    assert plan == Plan(requeue_after=data_contract.ASK_AGAIN)


def test_without_consumers_a_refused_version_is_taken_up() -> None:
    contract = Contract(schema=schema(10))
    contract.look()
    contract.edit(schema=schema(5))
    contract.look()

    contract.consumers = ()
    contract.look()

    assert (contract.in_force, contract.condition()) == (5, ("True", "NotInUse"))


def test_looking_twice_changes_nothing() -> None:
    contract = Contract(schema=schema(10))
    contract.look()
    contract.edit(schema=schema(5))
    for _ in range(2):
        contract.look()
        before = contract.status
        plan = contract.look()
        assert plan.status == before
        assert plan.events == ()
        contract.edit(schema=schema(10))


def test_the_history_keeps_the_last_twenty_versions_and_the_consumers_are_cut_at_a_hundred() -> None:
    contract = Contract(schema=schema(10))
    contract.consumers = tuple(Consumer(name=f"pipeline-{number:03}") for number in range(150))
    for longest in range(10, 40):
        contract.edit(schema=schema(longest))
        contract.look()

    assert len(contract.status["versions"]) == 20
    assert contract.status["versions"][0]["version"] == version_of(schema(39))
    assert (len(contract.status["consumers"]), contract.status["usedBy"]) == (100, 150)


def test_of_many_changes_the_first_are_told_and_the_others_counted() -> None:
    contract = Contract(schema=schema(10))
    contract.look()
    contract.edit(schema={"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(30)}})
    contract.look()

    changes = contract.status["proposed"]["changes"]
    assert changes[0] == "/Id: is not in the contract any more"
    assert changes[-1] == "and 21 more"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        pytest.param({"schema": schema(10, description="x" * LARGEST_SCHEMA)}, "ContractInvalid", id="too large"),
        pytest.param({"schema": {"type": "array"}}, "ContractInvalid", id="no row"),
        pytest.param({"owner": 7}, "InvalidSpec", id="no spec"),
    ],
)
def test_a_spec_that_cannot_be_used_is_refused(spec: dict[str, Any], reason: str) -> None:
    contract = Contract(schema=schema(10))
    contract.edit(**spec)
    contract.look()

    assert contract.condition("Stalled") == ("True", reason)
    assert "accepted" not in contract.status
