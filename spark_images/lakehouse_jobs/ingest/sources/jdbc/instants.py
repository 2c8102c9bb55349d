"""Times as whole nanoseconds, so that no digit that a database keeps is lost between its text and its literals."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = 86_400_000_000_000
_SECOND: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT: Final = re.compile(
    r"(?P<start>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?\s*(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?"
)


def nanoseconds(text: str) -> int:
    """Count from 1970 to a time as databases write it; without a zone it is taken as UTC.

    Raises:
        ValueError: the text is no time of the years 1 to 9999.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time between the years 1 and 9999")
    moment = datetime.fromisoformat(found["start"]).replace(tzinfo=UTC)
    whole = (moment - _EPOCH) // timedelta(seconds=1)
    return (whole - _offset(found["zone"])) * _SECOND + int((found["fraction"] or "").ljust(9, "0"))


def _offset(zone: str | None) -> int:
    if zone in {None, "Z"}:
        return 0
    digits = str(zone)[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if str(zone).startswith("-") else seconds


def written(count: int, *, zone: str = "") -> str:
    """Write a time in ISO 8601 with as many digits as it needs, and `zone` at its end."""
    seconds, fraction = divmod(count, _SECOND)
    start = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{start}{digits}{zone}"


def day_number(text: str) -> int:
    """Count the days from 1970 to a date in ISO 8601; raise ValueError for what is none."""
    return date.fromisoformat(text).toordinal() - _EPOCH.toordinal()


def day_written(number: int) -> str:
    """Write a date in ISO 8601."""
    return date.fromordinal(number + _EPOCH.toordinal()).isoformat()


def local(count: int, zone: str) -> int:
    """Give what a clock in a zone shows at a moment, counted as if it were UTC."""
    offset = (_EPOCH + timedelta(seconds=count // _SECOND)).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return count + int(offset.total_seconds()) * _SECOND


def length(duration: timedelta) -> int:
    """Give a duration in nanoseconds."""
    return duration // timedelta(microseconds=1) * 1000
