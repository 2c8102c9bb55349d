"""The token endpoint: OAuth 2.0 client credentials, tokens that end."""

import time
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

CLIENT_ID: Final = "lakehouse-dev-client"
CLIENT_SECRET: Final = "lakehouse-dev-client-secret"


@dataclass(kw_only=True)
class Authority:
    """Grants tokens and knows which are taken. A token's text says its number.

    While `broken`, the endpoint answers with an error of its own that repeats what it was sent.
    """

    lifetime: float = 3600
    broken: bool = False
    granted: int = 0
    _ends: dict[str, float] = field(default_factory=dict)

    def add_routes(self, app: web.Application) -> None:
        """Serve the endpoint where Salesforce has it, and where HubSpot has it."""
        app.router.add_post("/services/oauth2/token", self._grant)
        app.router.add_post("/oauth/v1/token", self._grant)

    def revoke_all(self) -> None:
        """Let all tokens end now."""
        self._ends.clear()

    def takes(self, request: web.Request) -> bool:
        """Tell whether a request shows a token that is taken."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return kind == "Bearer" and self._ends.get(token, 0) > time.monotonic()

    async def _grant(self, request: web.Request) -> web.Response:
        form = await request.post()
        if self.broken:
            return web.Response(status=500, text=f"cannot grant {dict(form)}")
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            told = {"error": "invalid_client", "error_description": "invalid client credentials"}
            return web.json_response(told, status=401)
        self.granted += 1
        token = f"lakehouse-dev-token-{self.granted}"
        self._ends[token] = time.monotonic() + self.lifetime
        return web.json_response(
            {"access_token": token, "token_type": "Bearer", "expires_in": int(self.lifetime), "scope": "api"}
        )
