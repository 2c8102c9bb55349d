"""Names of runs fit every object they name, and different runs never share one."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lakehouse_operator.core.names import RUN_ID_LIMIT, driver_pod, label_value, run_id
from lakehouse_operator.core.slots import Slot
from tests import gen

RESOURCE_NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?", fullmatch=True)
SLOTS = st.one_of(
    st.integers(0, 10**6).map(lambda m: Slot.scheduled(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=m))),
    st.text(min_size=1, max_size=300).map(Slot.run_now),
    st.from_regex(r"[0-9a-f]{12}", fullmatch=True).map(Slot.of_spec),
)
RUNS = st.tuples(RESOURCE_NAMES, st.uuids().map(str), SLOTS, st.integers(1, 10**6))


def named(run: tuple[str, str, Slot, int]) -> str:
    name, uid, slot, attempt = run
    resource = replace(gen.pipeline(), name=name, uid=uid)
    return run_id(prefix="ing", resource=resource, slot=slot.text, slot_key=slot.key, attempt=attempt)


@given(run=RUNS)
def test_a_run_id_is_a_dns_label_with_room_for_suffixes(run: tuple[str, str, Slot, int]) -> None:
    assert len(named(run)) <= RUN_ID_LIMIT
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", driver_pod(named(run)))


@given(one=RUNS, other=RUNS)
def test_different_runs_have_different_names(
    one: tuple[str, str, Slot, int], other: tuple[str, str, Slot, int]
) -> None:
    assert (named(one) == named(other)) == (one == other)


@given(slot=SLOTS)
def test_a_slot_is_read_back_from_its_text(slot: Slot) -> None:
    assert Slot(text=slot.text).key == slot.key
    assert [slot.token is None, slot.spec_hash is None, slot.instant is None].count(False) == 1


@given(name=RESOURCE_NAMES)
def test_a_label_value_is_one_kubernetes_takes(name: str) -> None:
    assert re.fullmatch(r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]", label_value(name))
