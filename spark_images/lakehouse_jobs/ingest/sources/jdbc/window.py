"""Which rows a batch reads, as values: how new they may be, how far back, and how they are split. No database here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from lakehouse_jobs.ingest.sources.jdbc.columns import Column, Kind
from lakehouse_jobs.ingest.sources.jdbc.instants import (
    DAY,
    day_number,
    day_written,
    length,
    local,
    nanoseconds,
    written,
)

PART = "lakehouse_part"
"""The name under which the rows of a query show the column by which they are split."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The database's own clock, so that no other one matters; `zone` is where times without a zone are meant."""

    now: int
    zone: str = "UTC"

    def ceiling(self, kind: Kind, lag: timedelta) -> str | None:
        """Give the newest value that a batch may read; None where values have nothing to do with time.

        A row dated in the future waits until then. Otherwise it would set the watermark, and every row before it would
        be taken for read. A day is read once it is over.
        """
        moment = self.now - length(lag)
        if kind is Kind.MOMENT:
            return written(moment, zone="+00:00")
        if kind is Kind.LOCAL:
            return written(local(moment, self.zone))
        if kind is Kind.DATE:
            return day_written(local(moment, self.zone) // DAY - 1)
        return None


def normal(kind: Kind, text: str) -> str:
    """Write a value of a cursor as the plan keeps it; raise ValueError if it is none."""
    if kind is Kind.MOMENT:
        return written(nanoseconds(text), zone="+00:00")
    if kind is Kind.LOCAL:
        return written(nanoseconds(text))
    return text


def set_back(kind: Kind, value: str, lookback: timedelta) -> str:
    """Go back from a watermark by the time for which late rows are expected."""
    if not lookback:
        return value
    if kind is Kind.DATE:
        return day_written(day_number(value) - -(-length(lookback) // DAY))
    return written(nanoseconds(value) - length(lookback), zone="+00:00" if kind is Kind.MOMENT else "")


def newest(kind: Kind, value: str, zone: str) -> str | None:
    """Tell how new a row of that cursor is, in RFC 3339; None where the cursor is no time."""
    if kind is Kind.MOMENT:
        return written(nanoseconds(value) // 10**9 * 10**9, zone="Z")
    if kind in {Kind.LOCAL, Kind.DATE}:
        shown = nanoseconds(value if kind is Kind.LOCAL else f"{value}T23:59:59")
        return written((2 * shown - local(shown, zone)) // 10**9 * 10**9, zone="Z")
    return None


def split(column: Column, low: str, high: str, count: int, literal: Callable[[Kind, str], str]) -> tuple[str, ...]:
    """Write conditions on PART that every row satisfies exactly one of, whatever is added before they are used.

    `low` and `high` shape the ranges only: the first has no beginning and takes the rows without a value, the last has
    no end.
    """
    bounds = [literal(column.kind, bound) for bound in _bounds(column.kind, low, high, count)]
    if not bounds:
        return ()
    inner = [f"{PART} >= {one} AND {PART} < {other}" for one, other in pairwise(bounds)]
    return (f"{PART} < {bounds[0]} OR {PART} IS NULL", *inner, f"{PART} >= {bounds[-1]}")


def _bounds(kind: Kind, low: str, high: str, count: int) -> list[str]:
    """Give the values where one range ends and the next begins, each once."""
    first, last = _counted(kind, low), _counted(kind, high)
    inner = {first + (last - first) * place // count for place in range(1, count)}
    return [_uncounted(kind, value) for value in sorted(inner - {first})]


def _counted(kind: Kind, value: str) -> int:
    if kind is Kind.DATE:
        return day_number(value)
    if kind in {Kind.MOMENT, Kind.LOCAL}:
        return nanoseconds(value)
    return int(value.partition(".")[0])


def _uncounted(kind: Kind, value: int) -> str:
    if kind is Kind.DATE:
        return day_written(value)
    if kind in {Kind.MOMENT, Kind.LOCAL}:
        return written(value, zone="+00:00" if kind is Kind.MOMENT else "")
    return str(value)
