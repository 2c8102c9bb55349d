"""No more runs than allowed, nobody left in line for ever."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse_operator.core.config import Limits
from lakehouse_operator.handlers.ledger import RunLedger
from lakehouse_operator.kube.store import Key, Store

A, B, C, D = (Key("IngestPipeline", "one", name) for name in "abcd")
ELSEWHERE = Key("IngestPipeline", "two", "a")


class World:
    """A ledger, the drivers it has let start, and who was woken."""

    def __init__(self, *, operator: int = 10, namespace: int = 10) -> None:
        self.limits = Limits(operator=operator, namespace=namespace)
        self.store = Store({})
        self.woken: list[Key] = []
        self.ledger = RunLedger(limits=self.limits, store=self.store, wake=self.woken.append)
        self.version = 0
        self.running: dict[Key, dict[str, Any]] = {}

    def launch(self, key: Key) -> bool:
        if not self.ledger.acquire(key):
            return False
        self.running[key] = self._driver(key, "Pending")
        self.store.put_driver(self.running[key])
        self.ledger.release(key)
        return True

    def finish(self, key: Key) -> None:
        del self.running[key]
        self.store.put_driver(self._driver(key, "Succeeded"))
        self.ledger.settle()

    def _driver(self, key: Key, phase: str) -> dict[str, Any]:
        self.version += 1
        metadata = {"namespace": key.namespace, "name": f"{key.name}-driver", "resourceVersion": str(self.version)}
        return {"metadata": metadata, "status": {"phase": phase}}


def test_who_finds_no_room_is_woken_when_a_run_has_finished() -> None:
    world = World(namespace=1)
    assert world.launch(A)
    assert not world.launch(B)

    world.finish(A)

    assert world.woken == [B]
    assert world.launch(B)


def test_who_comes_first_goes_first() -> None:
    world = World(namespace=1)
    world.launch(A)
    assert not world.launch(B)
    assert not world.launch(C)

    world.finish(A)

    assert not world.launch(C)
    assert world.launch(B)


def test_nobody_overtakes_who_was_woken_and_has_not_started_yet() -> None:
    world = World(namespace=1)
    world.launch(A)
    world.launch(B)
    world.finish(A)

    assert not world.launch(D)
    assert world.launch(B)


def test_a_full_namespace_holds_up_no_other() -> None:
    world = World(namespace=1)
    world.launch(A)
    assert not world.launch(B)

    assert world.launch(ELSEWHERE)


def test_namespaces_take_turns_when_the_operator_is_full() -> None:
    world = World(operator=1)
    world.launch(A)
    for key in (B, C, D, ELSEWHERE):
        assert not world.launch(key)

    order = []
    for key in (A, B, ELSEWHERE, C):
        world.finish(key)
        order.append(world.woken[-1])
        world.launch(order[-1])

    assert order == [B, ELSEWHERE, C, D]


def test_who_no_longer_wants_to_run_makes_room_for_the_next() -> None:
    world = World(namespace=1)
    world.launch(A)
    world.launch(B)
    world.launch(C)
    world.finish(A)

    world.ledger.release(B)

    assert world.woken == [B, C]
    assert world.ledger.waiting == 0


KEYS = [Key("IngestPipeline", namespace, name) for namespace in ("one", "two", "three") for name in "abcd"]


@settings(deadline=None)
@given(
    wishes=st.lists(st.sampled_from(KEYS), max_size=60),
    operator=st.integers(1, 5),
    namespace=st.integers(1, 3),
    finishing=st.randoms(use_true_random=False),
)
def test_limits_hold_at_every_moment_and_everybody_gets_a_turn(
    wishes: list[Key], operator: int, namespace: int, finishing: Any
) -> None:
    world = World(operator=operator, namespace=namespace)
    ran: set[Key] = set()
    for key in [*wishes, *[None] * 200]:  # None: time passes
        if key is not None and key not in world.running and world.launch(key):
            ran.add(key)
        elif world.running and finishing.random() < 0.5:
            world.finish(finishing.choice(sorted(world.running)))
        while world.woken:
            woken = world.woken.pop()
            assert world.launch(woken)
            ran.add(woken)
        assert len(world.running) <= operator
        assert all(world.store.active(each) <= namespace for each in ("one", "two", "three"))

    assert ran == set(wishes)
    assert world.ledger.waiting == 0
