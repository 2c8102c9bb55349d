"""An API of no particular maker: the same records by cursor, by link, by offset and by page."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web


@dataclass(kw_only=True)
class Records:
    """Records as JSON texts, so that a test can write them as no serialiser would; `page` of them are in a page."""

    texts: list[str] = field(default_factory=list)
    page: int = 3
    elsewhere: str | None = None

    def add_routes(self, app: web.Application) -> None:
        """Serve each way of paging below /records."""
        for style, answer in {
            "cursor": self._by_cursor,
            "link": self._by_link,
            "offset": self._by_offset,
            "page": self._by_page,
        }.items():
            app.router.add_get(f"/records/{style}", answer)

    def _chosen(self, request: web.Request) -> list[str]:
        """Choose by the time `updated`; the bound is inclusive, as in many APIs."""
        since = request.query.get("since")
        if since is None:
            return self.texts
        bound = datetime.fromisoformat(since)
        return [text for text in self.texts if datetime.fromisoformat(json.loads(text)["updated"]) >= bound]

    def _size(self, request: web.Request) -> int:
        return int(request.query.get("limit", self.page))

    async def _by_cursor(self, request: web.Request) -> web.Response:
        start, texts, size = int(request.query.get("cursor", "0")), self._chosen(request), self._size(request)
        following = str(start + size) if start + size < len(texts) else None
        items = _array(texts[start : start + size])
        return _json(f'{{"meta": {{"next": {json.dumps(following)}}}, "data": {{"items": {items}}}}}')

    async def _by_link(self, request: web.Request) -> web.Response:
        start, texts, size = int(request.query.get("start", "0")), self._chosen(request), self._size(request)
        link = f'</records/link?start={start + size}>; rel="next"'
        if self.elsewhere:
            link = f'<{self.elsewhere}>; rel="next"'
        headers = {"Link": link} if start + size < len(texts) else {}
        return _json(_array(texts[start : start + size]), headers=headers)

    async def _by_offset(self, request: web.Request) -> web.Response:
        start, texts, size = int(request.query.get("offset", "0")), self._chosen(request), self._size(request)
        return _json(_array(texts[start : start + size]))

    async def _by_page(self, request: web.Request) -> web.Response:
        number, texts, size = int(request.query.get("page", "1")), self._chosen(request), self._size(request)
        return _json(_array(texts[(number - 1) * size : number * size]))


def _array(texts: list[str]) -> str:
    return f"[{', '.join(texts)}]"


def _json(text: str, **more: Any) -> web.Response:
    return web.Response(text=text, content_type="application/json", **more)
