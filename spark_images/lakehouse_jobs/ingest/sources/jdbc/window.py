"""Which rows a batch reads, as values: how new they may be, how far back, and how they are split. No database here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from zoneinfo import ZoneInfo

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
from lakehouse_jobs.ingest.work import WindowWork

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


def pointed(kind: Kind, text: str, zone: str) -> str:
    """Write an end of a backfill's range as a value of a cursor; raise ValueError if it is none.

    A date is its beginning. A time without a zone is meant in `zone`, and so are cursors without one.
    """
    if kind is Kind.DATE:
        return day_written(day_number(text))
    if kind in {Kind.MOMENT, Kind.LOCAL}:
        at = datetime.fromisoformat(text)
        moment = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
        if kind is Kind.MOMENT:
            return written(nanoseconds(moment.astimezone(UTC).isoformat()), zone="+00:00")
        return written(nanoseconds(moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()))
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        return str(int(text)) if kind is Kind.INTEGER else str(_number(text))
    raise ValueError("a text has no place between two others")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number") from error


def place_of(kind: Kind, value: str) -> int | Decimal:
    """Give what two values of a cursor are compared by."""
    if kind is Kind.DATE:
        return day_number(value)
    return nanoseconds(value) if kind.timed else _number(value)


def between(cursor: Column, *, first: str, end: str, watermark: str) -> WindowWork | None:
    """Give the rows from `first` up to `end`, as far as the watermark; None: they all lie ahead of it."""
    places = {name: place_of(cursor.kind, value) for name, value in (("first", first), ("end", end), ("at", watermark))}
    if places["first"] > places["at"]:
        return None
    ahead = places["end"] > places["at"]
    return WindowWork(
        cursor=cursor.name,
        first=first,
        end=None if ahead else end,
        until=watermark if ahead else None,
        watermark=watermark,
    )


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
