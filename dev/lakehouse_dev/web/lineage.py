"""An endpoint that takes OpenLineage events from whoever shows its key, and writes each as a line of its log."""

import json
from typing import Final

from aiohttp import web

KEY: Final = "lakehouse-dev-lineage-key"
PATH: Final = "/api/v1/lineage"


def add_routes(app: web.Application) -> None:
    """Serve the endpoint where Marquez has it."""
    app.router.add_post(PATH, _take)


async def _take(request: web.Request) -> web.Response:
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        return web.Response(status=401)
    print(json.dumps(await request.json()), flush=True)
    return web.Response(status=201)
