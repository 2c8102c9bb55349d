"""Sending events beside the run, which never waits for more than a few seconds, and never fails by it."""

import logging
import ssl
import time
from dataclasses import dataclass
from http import HTTPStatus
from queue import SimpleQueue
from threading import Thread
from typing import Final

import httpx

from lakehouse_api.lineage import LineageEndpoint
from lakehouse_api.quantities import format_duration
from lakehouse_jobs.lineage.facets import Document

_ATTEMPTS: Final = 2
_PAUSE: Final = 0.5
"""Seconds between the two attempts to send one event."""
_PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, kw_only=True)
class Lost:
    """Events that the endpoint is not known to have taken, and why. No text here holds the API key."""

    events: tuple[Document, ...]
    why: str


class Emitter:
    """Sends events one after the other, in a thread of its own that no one waits for when the process ends."""

    def __init__(self, endpoint: LineageEndpoint, key: str | None) -> None:
        self._endpoint = endpoint
        self._key = (key or "").strip()
        self._seconds = endpoint.timeout.total_seconds()
        self._queue: SimpleQueue[Document | None] = SimpleQueue()
        self._open: list[Document] = []
        self._problem = f"no answer within {format_duration(endpoint.timeout)}"
        self._thread = Thread(target=self._work, name="lineage", daemon=True)
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells every request
        self._thread.start()

    def send(self, event: Document) -> None:
        """Send an event as soon as those before it are over."""
        self._open.append(event)
        self._queue.put(event)

    def close(self) -> Lost | None:
        """Wait for what is under way, as long as one event may take, and give what was not taken by then."""
        self._queue.put(None)
        self._thread.join(self._seconds)
        lost = tuple(self._open)
        return Lost(events=lost, why=f"{self._endpoint.url}: {self._problem}") if lost else None

    def _work(self) -> None:
        if not (self._key.isascii() and self._key.isprintable()):
            self._problem = "its API key has characters that no header can hold; correct the Secret"
            return
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            with httpx.Client(verify=ssl.create_default_context(), headers=headers) as client:
                while (event := self._queue.get()) is not None:
                    self._deliver(client, event)
        except Exception as error:  # noqa: BLE001 (whatever it is, the run goes on and says what was lost)
            self._problem = type(error).__name__

    def _deliver(self, client: httpx.Client, event: Document) -> None:
        deadline = time.monotonic() + self._seconds
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE)
            left = deadline - time.monotonic()
            problem, passing = self._attempt(client, event, left) if left > 0 else (self._problem, False)
            if problem is None:
                self._open.remove(event)
                return
            self._problem = problem
            if not passing:
                return

    def _attempt(self, client: httpx.Client, event: Document, seconds: float) -> tuple[str | None, bool]:
        """Send once; give what went wrong, and whether that may pass."""
        try:
            with client.stream("POST", self._endpoint.url, json=event, timeout=seconds) as answer:
                status = answer.status_code
        except httpx.HTTPError as error:
            return _words(error, self._endpoint), isinstance(error, httpx.TransportError)
        if answer.is_success:
            return None, False
        return f"it answers HTTP {status}", status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING


def _words(error: httpx.HTTPError, endpoint: LineageEndpoint) -> str:
    """Say what went wrong. What is not known well is named by its type alone: its text may hold a header."""
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {format_duration(endpoint.timeout)}"
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(error, httpx.ConnectError):
        return f"no connection: {error}"
    return type(error).__name__


def _cause(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
