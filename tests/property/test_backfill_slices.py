"""Whatever range is cut, its slices are the range: none of it is left out, and none of it is in two."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from lakehouse_api.backfill import BackfillRequest
from lakehouse_operator.core.backfill_slices import MOST_SLICES, slices_of

moments = st.datetimes(datetime(1990, 1, 1), datetime(9999, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 (a zone follows)
numbers = st.decimals(-(10**9), 10**9, places=3)


def request(first: Any, end: Any, step: str) -> BackfillRequest:
    return BackfillRequest.read(json.dumps({"from": str(first), "until": str(end), "slice": step}))


@given(moments, st.integers(1, 10**9), st.integers(1, 400))
def test_slices_of_times_meet_end_to_end(first: datetime, seconds: int, hours: int) -> None:
    assume(first.year < 9900)
    end = first + timedelta(seconds=seconds)
    assume(seconds / 3600 / hours <= MOST_SLICES)

    parts = slices_of(request(first.isoformat(), end.isoformat(), f"{hours}h"))

    edges = [parts[0].from_, *(part.until for part in parts)]
    assert [part.from_ for part in parts[1:]] == edges[1:-1]
    times = [datetime.fromisoformat(str(edge)) for edge in edges]
    assert (times[0], times[-1], times == sorted(set(times))) == (first, end, True)
    assert max(other - one for one, other in pairwise(times)) <= timedelta(hours=hours)


@given(numbers, numbers, st.integers(1, 10**7))
def test_slices_of_numbers_meet_end_to_end(first: Decimal, end: Decimal, step: int) -> None:
    assume(0 < end - first <= step * MOST_SLICES)

    parts = slices_of(request(f"{first:f}", f"{end:f}", str(step)))

    edges = [Decimal(str(edge)) for edge in (parts[0].from_, *(part.until for part in parts))]
    assert (edges[0], edges[-1], edges == sorted(set(edges))) == (first, end, True)


@given(st.one_of(st.text(), st.tuples(st.text(), st.text()).map("/".join), st.from_regex(r"[0-9T:Z./-]{1,40}")))
def test_whatever_the_annotation_says_it_is_understood_or_told_what_is_wrong(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 1 <= len(slices_of(BackfillRequest.read(text))) <= MOST_SLICES + 1


def test_the_end_of_time_is_an_end() -> None:
    [*_, last] = slices_of(request("9999-12-01", "9999-12-31", "7d"))

    assert (last.from_, last.until) == ("9999-12-29", "9999-12-31")
