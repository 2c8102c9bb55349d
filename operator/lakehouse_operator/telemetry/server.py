"""One HTTP server: /healthz for the kubelet, /readyz for the Deployment, /metrics for Prometheus."""

import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Check = Callable[[], str | None]
"""Answers None while all is well, otherwise what is wrong."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_UNAVAILABLE = 503
_log = logging.getLogger(__name__)


class Server:
    """Answers from the first moment on; the checks decide what."""

    def __init__(
        self, *, health: Mapping[str, Check], ready: Mapping[str, Check], metrics: Callable[[], bytes]
    ) -> None:
        app = web.Application()
        app.router.add_get("/healthz", _checked(health))
        app.router.add_get("/readyz", _checked(ready))
        app.router.add_get("/metrics", _page(metrics))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def start(self, host: str, port: int) -> int:
        """Listen; answers the port.

        Raises:
            OSError: the port is taken.
        """
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        taken: int = self._runner.addresses[0][1]
        _log.info("listening", extra={"port": taken})
        return taken

    async def stop(self) -> None:
        """Close all connections."""
        await self._runner.cleanup()


def _checked(checks: Mapping[str, Check]) -> _Handler:
    async def answer(_: web.Request) -> web.Response:
        wrong = {name: problem for name, check in checks.items() if (problem := check()) is not None}
        return web.json_response({"failed": wrong} if wrong else {"ok": True}, status=_UNAVAILABLE if wrong else 200)

    return answer


def _page(metrics: Callable[[], bytes]) -> _Handler:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), headers={"Content-Type": _METRICS})

    return answer
