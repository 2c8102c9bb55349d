"""POST to where a user points: only to hosts that the settings allow, over TLS, and never where an answer points."""

import re
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from lakehouse_api.quantities import format_duration
from lakehouse_operator.core.channels import url_refusal
from lakehouse_operator.core.config import Notifications
from lakehouse_operator.delivery.errors import DeliveryError
from lakehouse_operator.delivery.trust import tls_context

_ANSWER_BYTES = 64
_CODE = re.compile(rb"[a-z_]+")
"""What Slack says when it refuses, such as no_service; any other answer may repeat what it was sent."""
_GOOD, _MOVED, _WRONG, _TOO_MANY, _FAULT = 200, 300, 400, 429, 500


class Poster:
    """Use as an async context manager."""

    def __init__(self, settings: Notifications) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls_context(self._settings)),
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout.total_seconds()),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=True,  # a proxy, where the way out leads through one
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """Send a JSON document once.

        Raises:
            DeliveryError: it was not taken, or the URL may not be called.
        """
        if self._session is None:
            raise RuntimeError("the poster is used outside its context")
        if why := url_refusal(url, self._settings):
            raise DeliveryError("NotAllowed", why)
        headers = {"Content-Type": "application/json", "User-Agent": "lakehouse-operator", **headers}
        try:
            async with self._session.post(URL(url), data=body, headers=headers, allow_redirects=False) as answer:
                _require_taken(answer, await answer.content.read(_ANSWER_BYTES))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError("ReceiverUnavailable", self._cause(error)) from error

    def _cause(self, error: Exception) -> str:
        match error:
            case TimeoutError():
                return f"no answer within {format_duration(self._settings.timeout)}"
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
                return "its TLS certificate is not trusted; see settings.notifications.caBundle"
            case aiohttp.ClientConnectorDNSError():
                return "its host is not known"
            case aiohttp.ClientConnectorError():
                return f"no connection: {error.os_error.strerror or type(error.os_error).__name__}"
            case _:
                return f"no answer ({type(error).__name__})"


def _require_taken(answer: aiohttp.ClientResponse, said: bytes) -> None:
    code = answer.status
    if _GOOD <= code < _MOVED:
        return
    if code == _TOO_MANY or code >= _FAULT:
        asked = answer.headers.get("Retry-After", "")
        wait = float(asked) if asked.isdecimal() else 0
        raise DeliveryError("ReceiverUnavailable", f"it answered HTTP {code}", wait_seconds=wait)
    if code < _WRONG:
        raise DeliveryError("ReceiverRefused", f"it answered HTTP {code}, and redirects are not followed")
    because = f": {said.decode()}" if _CODE.fullmatch(said) else ""
    raise DeliveryError("ReceiverRefused", f"it answered HTTP {code}{because}")
