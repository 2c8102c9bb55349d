"""What can go wrong between a reader and an API, by the number of the request; requests for tokens do not count."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_TOKENS: Final = "/token"


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request, how it would be answered, and the body that the request before it got."""

    request: web.Request
    handler: Handler
    before: bytes


class Fault(Protocol):
    """One way to go wrong."""

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answer otherwise."""


@dataclass(frozen=True, kw_only=True)
class Refuse:
    """Answer with a status, as in a storm of 429 or an outage."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = "no"

    async def answer(self, exchange: Exchange) -> web.Response:
        """Answer so."""
        del exchange
        return web.Response(status=self.status, headers=dict(self.headers), text=self.body)


@dataclass(frozen=True, kw_only=True)
class Spoil:
    """Change the body of the answer."""

    change: Callable[[bytes], bytes]

    async def answer(self, exchange: Exchange) -> web.Response:
        """Answer so."""
        return web.Response(body=self.change(await _body(exchange)), content_type="application/json")


class Repeat:
    """Give the body of the request before once more."""

    async def answer(self, exchange: Exchange) -> web.Response:
        """Answer so."""
        return web.Response(body=exchange.before, content_type="application/json")


class CloseHalfway:
    """Close the connection in the middle of the body."""

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answer so."""
        body = await _body(exchange)
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(exchange.request)
        await response.write(body[: len(body) // 2])
        if exchange.request.transport:
            exchange.request.transport.close()
        return response


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Be slow."""

    seconds: float

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answer so."""
        await asyncio.sleep(self.seconds)
        return await exchange.handler(exchange.request)


@dataclass(frozen=True, kw_only=True)
class Do:
    """Let something happen, then answer as always."""

    action: Callable[[], None]

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answer so."""
        self.action()
        return await exchange.handler(exchange.request)


@dataclass(kw_only=True)
class Faults:
    """Which requests go wrong, and how."""

    planned: list[tuple[range, Fault]] = field(default_factory=list)
    requests: int = 0
    _before: bytes = b""

    def plan(self, fault: Fault, *, first: int = 1, last: int | None = None) -> None:
        """Let requests from `first` to `last` go wrong, counted from now on."""
        end = last or first
        self.planned.append((range(self.requests + first, self.requests + end + 1), fault))

    def clear(self) -> None:
        """Let everything go well from now on."""
        self.planned.clear()

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or let it go wrong."""
        if request.path.endswith(_TOKENS):
            return await handler(request)
        self.requests += 1
        number = self.requests
        fault = next((fault for numbers, fault in self.planned if number in numbers), None)
        exchange = Exchange(request=request, handler=handler, before=self._before)
        response = await (fault.answer(exchange) if fault else handler(request))
        if isinstance(response, web.Response):
            self._before = _bytes(response)
        return response


async def _body(exchange: Exchange) -> bytes:
    response = await exchange.handler(exchange.request)
    return _bytes(response) if isinstance(response, web.Response) else b""


def _bytes(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""
