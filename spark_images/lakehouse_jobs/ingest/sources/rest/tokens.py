"""Bearer tokens: none, a fixed one, or those that an authorisation server gives a client."""

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from lakehouse_api.sources.rest import ClientCredentials, RestSource
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import unavailable
from lakehouse_jobs.ingest.sources.rest.client import Answer, Client, Request, Tokens, malformed
from lakehouse_jobs.ingest.sources.rest.json_text import JsonTextError, document, plain

_EARLY_SECONDS: Final = 30
"""A token is renewed this long before it ends, so that it does not end on its way."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """One token for the whole run, or none; `hidden` is secret beside it."""

    token: str | None = field(default=None, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give the token and what else is secret."""
        return (*self.hidden, *((self.token,) if self.token else ()))

    def current(self) -> str | None:
        """Give the token."""
        return self.token

    def renewed(self) -> None:
        """Give none: there is no other."""


@dataclass(kw_only=True)
class Granted:
    """Tokens granted to a client; a new one when the old one ends, or is no longer taken."""

    grant: ClientCredentials
    client_id: str
    client_secret: str = field(repr=False)
    client: Client
    _token: str | None = field(default=None, repr=False)
    _until: float | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give the client's secret and the token."""
        return tuple(filter(None, (self.client_secret, self._token)))

    def current(self) -> str:
        """Give the token, which is fetched when there is none or it is about to end."""
        ended = self._until is not None and time.monotonic() > self._until
        return self.renewed() if self._token is None or ended else self._token

    def renewed(self) -> str:
        """Fetch a token."""
        granted = self.client.send(self._request(), self._read)
        self._token = str(granted["access_token"])
        seconds = str(granted.get("expires_in", ""))
        self._until = time.monotonic() + int(seconds) - _EARLY_SECONDS if seconds.isdecimal() else None
        return self._token

    def _request(self) -> Request:
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}
        scopes = {"scope": " ".join(self.grant.scopes)} if self.grant.scopes else {}
        answered = frozenset({HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
        return Request(url=self.grant.token_url, form=form | scopes, accepted=answered)

    def _read(self, answer: Answer) -> dict[str, Any]:
        try:
            told = plain(document(answer.text))
        except JsonTextError as error:
            raise malformed(self.grant.token_url, error) from error
        if answer.status == HTTPStatus.OK and isinstance(told, dict) and told.get("access_token"):
            return told
        why = told.get("error", "no access_token") if isinstance(told, dict) else "no JSON object"
        shown = str(why).replace(self.client_secret, "***")[:100]
        raise unavailable(
            "AccessDenied",
            f"{self.grant.token_url} grants no token: {shown}. Check clientId and clientSecret in the Secret "
            "named as credentials, and the scopes; the next attempt uses them as they are then.",
        )


def tokens_of(source: RestSource, credentials: SourceCredentials) -> Tokens:
    """Give what the source shows; raise CredentialsMissing if its Secret lacks it."""
    if source.auth is None:
        return Fixed(token=credentials.require("token") if source.credentials else None)
    secret = credentials.require("clientSecret")
    return Granted(
        grant=source.auth.oauth2_client_credentials,
        client_id=credentials.require("clientId"),
        client_secret=secret,
        client=Client(Fixed(hidden=(secret,))),
    )
