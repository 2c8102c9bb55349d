"""Salesforce's REST API: SOQL queries, of deleted records too, whose pages follow a link."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from lakehouse_api.sources.rest import RestSource
from lakehouse_jobs.ingest.sources.rest.api import Record, Window, array_of, json_of, written
from lakehouse_jobs.ingest.sources.rest.client import Answer, Client, Request, malformed, next_url
from lakehouse_jobs.ingest.sources.rest.json_text import find, joined, members, pick, plain

_OFFSET: Final = re.compile(r'"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?)\+0000"')


class Salesforce:
    """One object of one organisation; `wanted` names the field of each column."""

    dated = False

    def __init__(self, source: RestSource, client: Client, wanted: Mapping[str, str]) -> None:
        self._object = source.object
        self._url = f"{source.url.rstrip('/')}/{'queryAll' if source.with_deleted else 'query'}"
        self._client = client
        self._wanted = {name: path.split(".") for name, path in wanted.items()}

    def horizon(self, until: datetime) -> datetime:
        """Give the same: a query sees all that was committed."""
        return until

    def has_records(self, window: Window) -> bool:
        """Count them."""
        request = self._query(f"SELECT COUNT() FROM {self._object}{_where(window)}")  # noqa: S608 (names were checked)
        return self._client.send(request, self._count) > 0

    def pages(self, window: Window) -> Iterator[list[Record]]:
        """Read the records in the order of the cursor."""
        fields = dict.fromkeys([*map(".".join, self._wanted.values()), *([window.cursor] if window.cursor else [])])
        order = ", ".join(dict.fromkeys([*([window.cursor] if window.cursor else []), "Id"]))
        soql = f"SELECT {', '.join(fields)} FROM {self._object}{_where(window)} ORDER BY {order}"  # noqa: S608 (names were checked)
        request: Request | None = self._query(soql)
        while request:
            texts, following = self._client.send(request, self._page)
            yield [self._record(text, window.cursor) for text in texts]
            request = Request(url=next_url(self._url, following)) if following else None

    def _query(self, soql: str) -> Request:
        return Request(url=self._url, parameters={"q": soql})

    def _count(self, answer: Answer) -> int:
        text = find(json_of(answer, self._url), ["totalSize"]) or ""
        if not text.isdecimal():
            raise malformed(self._url, "it has no number totalSize")
        return int(text)

    def _page(self, answer: Answer) -> tuple[list[str], str | None]:
        page = json_of(answer, self._url)
        following = plain(find(page, ["nextRecordsUrl"]))
        return array_of(find(page, ["records"]), self._url, "records"), following

    def _record(self, text: str, cursor: str | None) -> Record:
        record = members(text)
        found = {name: pick(record, path) for name, path in self._wanted.items()}
        row = joined({name: _rfc_3339(each) for name, each in found.items() if each is not None})
        at = plain(pick(record, cursor.split("."))) if cursor else None
        return Record(cursor=at if isinstance(at, str) else None, row=row)


def _rfc_3339(text: str) -> str:
    """Write a time as contracts want it: Salesforce leaves the colon out of its offset, which is always zero."""
    return _OFFSET.sub(r'"\1Z"', text) if text.endswith('+0000"') else text


def _where(window: Window) -> str:
    bounds = ((">", window.after), ("<=", window.until))
    conditions = [f"{window.cursor} {sign} {written(bound)}" for sign, bound in bounds if window.cursor and bound]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
