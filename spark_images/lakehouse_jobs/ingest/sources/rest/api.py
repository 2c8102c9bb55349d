"""What the extraction asks of an API, and the values that travel between the two. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from lakehouse_jobs.ingest.sources.rest.client import Answer, malformed
from lakehouse_jobs.ingest.sources.rest.json_text import JsonTextError, document, elements

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record: its cursor as the API writes it, and the row that is landed, as JSON on one line."""

    cursor: str | None
    row: str


@dataclass(frozen=True, kw_only=True)
class Window:
    """Records whose field `cursor` lies above `after` and not above `until`; without a cursor all of them.

    `first` and `end` narrow it to those from `first` on and before `end`, whatever digits an API can be asked for.
    """

    cursor: str | None = None
    after: datetime | None = None
    until: datetime | None = None
    first: datetime | None = None
    end: datetime | None = None

    def holds(self, record: Record) -> bool:
        """Tell whether a record belongs here; one without a usable cursor does, so that the contract can judge it.

        Not to a range that is read once more: it was judged when it was new.
        """
        at = moment(record.cursor) if self.cursor and record.cursor else None
        if at is None:
            return self.first is None
        inside = (self.first is None or at >= self.first) and (self.end is None or at < self.end)
        return inside and (self.after is None or at > self.after) and (self.until is None or at <= self.until)

    @property
    def since(self) -> datetime:
        """Give the lower bound for APIs that want one."""
        return self.after or EARLIEST


class Api(Protocol):
    """One flavor of API."""

    dated: bool
    """Whether cursors are days, not moments."""

    def horizon(self, until: datetime) -> datetime:
        """Give how far the API can be read at most, if time alone allowed to read it to `until`."""

    def has_records(self, window: Window) -> bool:
        """Tell whether a window has records, without reading all of them."""

    def pages(self, window: Window) -> Iterator[list[Record]]:
        """Read the records page by page. Some may lie outside the window: the API was asked, not trusted."""


def moment(text: str) -> datetime | None:
    """Read a time or a day as APIs write them; without a zone it is in UTC. None: it is no time."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def written(at: datetime) -> str:
    """Write a time in RFC 3339, in seconds where that is exact."""
    return at.astimezone(UTC).isoformat(timespec="auto").replace("+00:00", "Z")


def json_of(answer: Answer, url: str) -> str:
    """Give the JSON text of an answer; one that is no JSON is asked for again."""
    try:
        return document(answer.text)
    except JsonTextError as error:
        raise malformed(url, f"its body is no JSON document: {error}") from error


def array_of(text: str | None, url: str, what: str) -> list[str]:
    """Give the elements of an array that an answer must have."""
    if text is None or not text.startswith("["):
        raise malformed(url, f"it has no array {what}")
    return elements(text)
