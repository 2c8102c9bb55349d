"""HubSpot's CRM API: searches for what lives, a listing for what was archived.

A search gives 10,000 results at most, and its pages shift when a record changes meanwhile. So no page after the first
is asked for: each search begins above the last id that was read.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from lakehouse_api.sources.rest import RestSource
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.ingest.sources.rest.api import Record, Window, array_of, json_of
from lakehouse_jobs.ingest.sources.rest.client import Answer, Client, Request, malformed
from lakehouse_jobs.ingest.sources.rest.json_text import find, is_literal, joined, members, plain

_OF_RECORDS: Final = frozenset({"id", "createdAt", "updatedAt", "archived", "archivedAt"})
_ID: Final = "hs_object_id"
_PAGE: Final = 100


class HubSpot:
    """One object of one portal; `wanted` names the property, or the field of its record, of each column."""

    dated = False

    def __init__(self, source: RestSource, client: Client, wanted: Mapping[str, str], contract: Contract) -> None:
        self._url = f"{source.url.rstrip('/')}/crm/v3/objects/{source.object}"
        self._client = client
        self._wanted = wanted
        self._with_deleted = source.with_deleted
        self._texts = frozenset(field.name for field in contract.fields if not field.types or "string" in field.types)

    def horizon(self, until: datetime) -> datetime:
        """Give the same."""
        return until

    def has_records(self, window: Window) -> bool:
        """Ask how many a search finds, then look for an archived one."""
        if self._client.send(self._search(window, _filters(window), size=1), self._total):
            return True
        return self._with_deleted and any(window.holds(each) for page in self._archived(window) for each in page)

    def pages(self, window: Window) -> Iterator[list[Record]]:
        """Read the records by their id, then those that were archived."""
        yield from self._living(window)
        if self._with_deleted:
            yield from self._archived(window)

    def _living(self, window: Window) -> Iterator[list[Record]]:
        above: list[dict[str, str]] = []
        while True:
            request = self._search(window, [*_filters(window), *above], size=_PAGE)
            texts, _ = self._client.send(request, self._page)
            if not texts:
                return
            yield [self._record(text, window.cursor) for text in texts]
            last = plain(find(texts[-1], ["id"]))
            above = [{"propertyName": _ID, "operator": "GT", "value": str(last)}]

    def _archived(self, window: Window) -> Iterator[list[Record]]:
        parameters = {"archived": "true", "limit": str(_PAGE), "properties": ",".join(self._properties(window))}
        after: str | None = ""
        while after is not None:
            more = {"after": after} if after else {}
            texts, after = self._client.send(Request(url=self._url, parameters=parameters | more), self._page)
            yield [self._record(text, window.cursor) for text in texts]

    def _search(self, window: Window, filters: list[dict[str, str]], *, size: int) -> Request:
        asked: dict[str, Any] = {
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": _ID, "direction": "ASCENDING"}],
            "properties": self._properties(window),
            "limit": size,
        }
        return Request(url=f"{self._url}/search", json=asked, accepted=frozenset({HTTPStatus.OK}))

    def _properties(self, window: Window) -> list[str]:
        cursor = [window.cursor] if window.cursor else []
        return sorted({*self._wanted.values(), *cursor} - _OF_RECORDS)

    def _total(self, answer: Answer) -> int:
        text = find(json_of(answer, self._url), ["total"]) or ""
        if not text.isdecimal():
            raise malformed(self._url, "it has no number total")
        return int(text)

    def _page(self, answer: Answer) -> tuple[list[str], str | None]:
        page = json_of(answer, self._url)
        after = plain(find(page, ["paging", "next", "after"]))
        return array_of(find(page, ["results"]), self._url, "results"), None if after is None else str(after)

    def _record(self, text: str, cursor: str | None) -> Record:
        record = members(text)
        values = members(record.get("properties", "{}")) | {
            name: part for name, part in record.items() if name in _OF_RECORDS
        }
        if cursor and plain(record.get("archived")) is True and "archivedAt" in record:
            values[cursor] = record["archivedAt"]  # its deletion is the last that happened to it
        row = {name: self._typed(name, values[of]) for name, of in self._wanted.items() if of in values}
        at = plain(values.get(cursor)) if cursor else None
        return Record(cursor=at if isinstance(at, str) else None, row=joined(row))

    def _typed(self, column: str, text: str) -> str:
        """Take the quotes off where the contract wants no text: HubSpot writes each property as one, nothing as ""."""
        if column in self._texts or not text.startswith('"'):
            return text
        inside = text[1:-1]
        return inside if is_literal(inside) else "null" if not inside else text


def _filters(window: Window) -> list[dict[str, str]]:
    bounds = (("GT", window.after), ("LTE", window.until))
    return [
        {"propertyName": window.cursor, "operator": sign, "value": str(round(bound.timestamp() * 1000))}
        for sign, bound in bounds
        if window.cursor and bound
    ]
