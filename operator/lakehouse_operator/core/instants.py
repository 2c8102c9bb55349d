"""Points in time as Kubernetes writes them: RFC 3339, UTC, whole seconds."""

from datetime import UTC, datetime


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time; the result is in UTC.

    Raises:
        ValueError: the text is not a time.
    """
    return datetime.fromisoformat(text).astimezone(UTC)


def format_time(instant: datetime) -> str:
    """Write an instant to the second, such as 2026-11-23T22:00:00Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
