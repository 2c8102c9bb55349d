"""The ends of a backfill's range where they are points in time."""

from datetime import UTC, datetime

from lakehouse_jobs.failures import spec_wrong


def instant(point: str) -> float:
    """Count the seconds from 1970 to a time or the beginning of a day, in UTC without a zone.

    Raise BackfillRefused if it is none.
    """
    return moment(point).timestamp()


def moment(point: str) -> datetime:
    """Give the same as a moment."""
    try:
        at = datetime.fromisoformat(point)
    except ValueError as error:
        raise spec_wrong("BackfillRefused", f"{point} is neither a time nor a date, as this source needs.") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
