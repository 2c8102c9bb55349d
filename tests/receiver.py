"""A receiver of messages: an HTTP server on loopback that remembers what it got and answers as it is told."""

import asyncio
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

from lakehouse_dev.certificates import KeyPair


@dataclass(frozen=True)
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What a receiver does with a request; `after` is seconds, and `cut` ends the connection instead."""

    status: int = 200
    text: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0
    cut: bool = False


class Receiver:
    """Use as an async context manager. `answers` are given in turn, then the last one for ever."""

    def __init__(self, *answers: Answer, tls: KeyPair | None = None) -> None:
        self.got: list[Got] = []
        self.answers = list(answers) or [Answer()]
        self._tls = tls
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context()).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        port: int = self._runner.addresses[0][1]
        return f"{'https' if self._tls else 'http'}://localhost:{port}"

    def _context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._tls.certificate, self._tls.key)
        return context

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.got.append(Got(path=request.path, headers=dict(request.headers), body=await request.read()))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(answer.after)
        if answer.cut and request.transport:
            request.transport.close()
        return web.Response(status=answer.status, text=answer.text, headers=answer.headers)
