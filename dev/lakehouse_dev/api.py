"""The few calls that starting a cluster needs, made with the standard library."""

import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lakehouse_dev.certificates import KeyPair

CALL_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Api:
    """One API server as seen by one user."""

    server: str
    context: ssl.SSLContext

    @classmethod
    def of(cls, server: str, authority: Path, user: KeyPair) -> Self:
        """Return the API at a URL, trusting one authority and proving to be one user."""
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(user.certificate, user.key)
        return cls(server=server, context=context)

    def get(self, path: str) -> bytes | None:
        """Return the body of a GET, or None while the server is down, refuses, or has no such thing."""
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context)
        )
        try:
            with opener.open(self.server + path, timeout=CALL_TIMEOUT_SECONDS) as answer:
                body: bytes = answer.read()
                return body
        except (urllib.error.URLError, OSError):
            return None

    def exists(self, path: str) -> bool:
        """Tell whether a GET succeeds."""
        return self.get(path) is not None
