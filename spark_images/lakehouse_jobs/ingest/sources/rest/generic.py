"""Any API that gives JSON records page by page, in one of the usual ways."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import httpx

from lakehouse_api.sources.rest import PageStyle, Pagination, RestSource
from lakehouse_jobs.ingest.sources.rest.api import Record, Window, array_of, json_of, written
from lakehouse_jobs.ingest.sources.rest.client import Answer, Client, Request, next_url
from lakehouse_jobs.ingest.sources.rest.json_text import at_pointer, find, joined, members, pick, plain

_ONE_PAGE: Final = Pagination(style=PageStyle.LINK)


class Generic:
    """One resource of one API."""

    dated = False

    def __init__(self, source: RestSource, client: Client) -> None:
        self._source = source
        self._client = client
        self._paging = source.pagination
        self._renamed = {name: path.split(".") for name, path in (source.fields or {}).items()}

    def horizon(self, until: datetime) -> datetime:
        """Give the same."""
        return until

    def has_records(self, window: Window) -> bool:
        """Read until the first one is found."""
        return any(window.holds(record) for page in self.pages(window) for record in page)

    def pages(self, window: Window) -> Iterator[list[Record]]:
        """Read pages until there is no next one."""
        request: Request | None = self._first(window)
        number = 0
        while request:
            texts, following = self._client.send(request, self._page)
            yield [self._record(text, window.cursor) for text in texts]
            number += len(texts) if self._paging and self._paging.style is PageStyle.OFFSET else 1
            request = self._next(request, texts, following, number)

    def _first(self, window: Window) -> Request:
        asked = dict(self._source.parameters or {})
        if self._source.window and window.cursor:
            asked[self._source.window.after] = written(window.since)
            if self._source.window.until and window.until:
                asked[self._source.window.until] = written(window.until)
        if self._paging and self._paging.size_parameter:
            asked[self._paging.size_parameter] = str(self._paging.size)
        if self._paging and self._paging.style is PageStyle.PAGE:
            asked[self._paging.parameter or ""] = str(self._paging.first_page)
        return Request(url=self._source.url, parameters=asked)

    def _next(self, request: Request, texts: list[str], following: str | None, number: int) -> Request | None:
        paging = self._paging
        if paging is None:
            return None
        if paging.style is PageStyle.LINK:
            return Request(url=next_url(request.url, following)) if following else None
        if paging.style is PageStyle.CURSOR:
            return _with(request, paging, following) if following else None
        if not texts:
            return None
        return _with(request, paging, str(number + (paging.first_page if paging.style is PageStyle.PAGE else 0)))

    def _page(self, answer: Answer) -> tuple[list[str], str | None]:
        url, pointer = self._source.url, self._source.records or ""
        page = json_of(answer, url)
        texts = array_of(at_pointer(page, pointer), url, pointer or "at its top")
        return texts, _following(self._paging or _ONE_PAGE, answer.headers, page)

    def _record(self, text: str, cursor: str | None) -> Record:
        at = plain(find(text, cursor.split("."))) if cursor else None
        return Record(cursor=at if isinstance(at, str) else None, row=self._row(text))

    def _row(self, text: str) -> str:
        """Rename what has other names; what is no object stays as it is, for the contract to refuse."""
        if not self._renamed or not text.startswith("{"):
            return text
        record = members(text)
        found = {name: pick(record, path) for name, path in self._renamed.items()}
        taken = {path[0] for path in self._renamed.values()}
        kept = {name: part for name, part in record.items() if name not in taken}
        return joined({**kept, **{name: part for name, part in found.items() if part is not None}})


def _with(request: Request, paging: Pagination, value: str) -> Request:
    return replace(request, parameters={**request.parameters, paging.parameter or "": value})


def _following(paging: Pagination, headers: Mapping[str, str], page: str) -> str | None:
    """Find the next page's cursor or link: in the body, or in the header Link."""
    if paging.next is not None:
        following = plain(at_pointer(page, paging.next))
        return None if following in {None, "", False} else str(following)
    found = httpx.Response(200, headers=dict(headers)).links.get("next", {})
    return found.get("url")
