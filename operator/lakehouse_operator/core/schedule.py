"""Cron schedules as slots: which are due, which comes next. Zones, daylight saving and long outages included."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

COUNT_LIMIT = 1000
"""Slots counted after an outage; beyond it the count is a lower bound."""


class ScheduleInvalidError(ValueError):
    """The cron expression cannot be read."""


class TimeZoneUnknownError(ValueError):
    """The zone is not in the IANA database."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """The slots that have come due: the latest one, and how many came before it, from the first."""

    latest: datetime
    first: datetime
    count: int


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A cron expression in a time zone. Slots are whole minutes in UTC.

    A time that daylight saving skips runs once after the gap, a time that occurs twice runs once (cronsim follows
    Debian's cron).
    """

    expression: str
    zone: ZoneInfo

    def next_after(self, instant: datetime) -> datetime | None:
        """Give the first slot after an instant; None if the expression names no day that exists."""
        try:
            return next(CronSim(self.expression, instant.astimezone(self.zone))).astimezone(UTC)
        except StopIteration:
            return None

    def due(self, *, after: datetime, until: datetime) -> Due | None:
        """Give the slots in (after, until]."""
        upto = until.astimezone(self.zone).replace(second=0, microsecond=0) + timedelta(minutes=1)
        latest = next(CronSim(self.expression, upto, reverse=True), None)
        if latest is None or latest <= after:
            return None
        slots = CronSim(self.expression, after.astimezone(self.zone))
        counted = list(takewhile(lambda slot: slot <= until, islice(slots, COUNT_LIMIT)))
        return Due(latest=latest.astimezone(UTC), first=counted[0].astimezone(UTC), count=len(counted))


def read_schedule(expression: str, time_zone: str) -> Schedule:
    """Read a cron expression of five fields.

    Raises:
        ScheduleInvalidError: the expression is wrong; the message says which part.
        TimeZoneUnknownError: there is no such zone.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimeZoneUnknownError(f"timeZone {time_zone!r} is not a zone of the IANA database") from error
    if len(expression.split()) != 5:  # noqa: PLR2004  # cronsim would accept a sixth field, seconds
        raise ScheduleInvalidError(f"schedule {expression!r} needs five fields: minute hour day month weekday")
    try:
        CronSim(expression, datetime(2000, 1, 1, tzinfo=zone))
    except CronSimError as error:
        raise ScheduleInvalidError(f"schedule {expression!r}: {error}") from error
    return Schedule(expression=expression, zone=zone)
