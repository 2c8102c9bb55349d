"""All APIs behind one TLS port; in a thread of the caller for tests, or as a program in a Pod."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Middleware

from lakehouse_dev.web import lineage
from lakehouse_dev.web.crm import Crm
from lakehouse_dev.web.ecb import Ecb
from lakehouse_dev.web.faults import Faults, Handler
from lakehouse_dev.web.hubspot import HubSpot
from lakehouse_dev.web.oauth import Authority
from lakehouse_dev.web.records import Records
from lakehouse_dev.web.salesforce import VERSION, Salesforce

_START_SECONDS = 20


@dataclass(kw_only=True)
class World:
    """What the APIs know. `clock` is what their header Date says; None: the time."""

    crm: Crm = field(default_factory=Crm)
    ecb: Ecb = field(default_factory=Ecb)
    authority: Authority = field(default_factory=Authority)
    faults: Faults = field(default_factory=Faults)
    records: Records = field(default_factory=Records)
    clock: datetime | None = None
    salesforce: Salesforce = field(init=False)
    hubspot: HubSpot = field(init=False)

    def __post_init__(self) -> None:
        self.salesforce = Salesforce(crm=self.crm, authority=self.authority)
        self.hubspot = HubSpot(crm=self.crm, authority=self.authority)

    def application(self) -> web.Application:
        """Return the APIs as one application."""
        app = web.Application(middlewares=[self._middleware()])
        for api in (self.authority, self.salesforce, self.hubspot, self.ecb, self.records):
            api.add_routes(app)
        lineage.add_routes(app)
        app.router.add_get("/healthz", _healthy)
        app.router.add_post("/dev/change", self._change)
        return app

    def _middleware(self) -> Middleware:
        @web.middleware
        async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path in {"/healthz", "/dev/change"}:
                return await handler(request)
            response = await self.faults.answer(request, handler)
            if self.clock and not response.prepared:
                response.headers["Date"] = format_datetime(self.clock, usegmt=True)
            return response

        return answer

    async def _change(self, _: web.Request) -> web.Response:
        """Let the next wave of changes happen, and a day of rates be published."""
        self.crm.change(self.clock or datetime.now(UTC).replace(microsecond=0))  # noqa: TID251 (a change is now)
        self.ecb.publish()
        return web.json_response({"wave": self.crm.wave})


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok")


@dataclass(kw_only=True)
class Server:
    """A running server in a thread of its own; a context manager."""

    world: World
    tls: ssl.SSLContext
    host: str = "localhost"
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)
    _runner: web.AppRunner | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._loop.run_forever, name="web", daemon=True)
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread:
            self._thread.join(_START_SECONDS)
        self._loop.close()

    @property
    def url(self) -> str:
        """Return the beginning of all URLs."""
        return f"https://{self.host}:{self.port}"

    @property
    def salesforce(self) -> str:
        """Return the base of Salesforce's API."""
        return f"{self.url}/services/data/{VERSION}"

    def _run(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_SECONDS)

    async def _start(self) -> None:
        self._runner = web.AppRunner(self.world.application(), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        if self._runner is None or self._runner.server is None:
            return
        for connection in self._runner.server.connections:
            if connection.transport:
                connection.transport.abort()  # a client that keeps it open would be waited for
        await self._runner.cleanup()
        await asyncio.sleep(0)


def tls_of(certificate: str, key: str) -> ssl.SSLContext:
    """Return how the server proves who it is."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
