"""The one place that asks what time it is."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give the time, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - here the time enters; everything else gets it as an argument
