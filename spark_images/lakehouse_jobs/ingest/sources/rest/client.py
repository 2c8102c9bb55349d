"""Requests to a web API: what may pass is tried again within bounds, everything else has its own reason at once."""

import logging
import ssl
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError, spec_wrong, unavailable

_LOG: Final = logging.getLogger(__name__)
_WORDS_SHOWN: Final = 300
_MINUTE: Final = 60
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Bounds of one extraction: seconds, attempts of one request, bytes of one page."""

    connect: float = 10
    read: float = 60
    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30
    wait_asked_for: float = 5 * _MINUTE
    waits: float = 30 * _MINUTE
    page_bytes: int = 64 << 20


PATIENCE: Final = Patience()


class Passing(JobError):  # noqa: N818 (it is a state of the API more than an error)
    """Something that may pass; `wait` is how many seconds the API asks to wait."""

    def __init__(self, reason: str, message: str, wait: float | None = None) -> None:
        super().__init__(reason, message, ExitCode.UNAVAILABLE)
        self.wait = wait


class Tokens(Protocol):
    """What is shown to the API."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give what no message may hold."""

    def current(self) -> str | None:
        """Give the bearer token; None: nothing is shown."""

    def renewed(self) -> str | None:
        """Give a token newer than the current one; None if there is no other."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request. With `form` or `json` it is a POST."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    accepted: frozenset[int] = frozenset({HTTPStatus.OK})

    @property
    def identity(self) -> str:
        """Name what is asked for: the same twice brings the same answer."""
        return f"{self.url} {sorted(self.parameters.items())} {self.json}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer with its whole body, unpacked."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        """Give the body as text. A byte that is no UTF-8 stays what it is when the text is written again."""
        return self.body.decode(errors="surrogateescape")


class Client:
    """Sends requests to one API. `server_time` is what its clock said last."""

    def __init__(self, tokens: Tokens, *, patience: Patience | None = None) -> None:
        patience = patience or PATIENCE
        for noisy in ("httpx", "httpcore"):
            logging.getLogger(noisy).setLevel(logging.WARNING)  # they tell headers
        timeout = httpx.Timeout(patience.read, connect=patience.connect)
        self._http = httpx.Client(verify=ssl.create_default_context(), timeout=timeout, follow_redirects=False)
        weakref.finalize(self, self._http.close)  # nobody says when a source is done with
        self._tokens = tokens
        self._patience = patience
        self._waited = 0.0
        self.server_time: datetime | None = None

    def send(self, request: Request, read: Callable[[Answer], T]) -> T:
        """Send a request until an answer can be read; `read` raises Passing for one that cannot."""
        patience = self._patience
        for attempt in Retrying(
            retry=retry_if_exception_type(Passing),
            stop=lambda state: stop_after_attempt(patience.attempts)(state) or self._asks_too_much(state),
            wait=self._wait,
            before_sleep=self._remember,
            reraise=True,
        ):
            with attempt:
                return read(self._once(request))
        raise AssertionError("tenacity either returns or raises")

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Passing) and error.wait is not None:
            return error.wait
        patience = self._patience
        first = patience.first_wait
        return wait_exponential_jitter(multiplier=first, max=patience.longest_wait, jitter=first)(state)

    def _asks_too_much(self, state: RetryCallState) -> bool:
        wait = state.upcoming_sleep
        return wait > self._patience.wait_asked_for or self._waited + wait > self._patience.waits

    def _remember(self, state: RetryCallState) -> None:
        self._waited += state.upcoming_sleep
        error = state.outcome.exception() if state.outcome else None
        _LOG.warning("%s; once more in %.1f s", error, state.upcoming_sleep)

    def _once(self, request: Request) -> Answer:
        answer = self._exchange(request, self._tokens.current())
        if answer.status == HTTPStatus.UNAUTHORIZED and (token := self._tokens.renewed()):
            answer = self._exchange(request, token)
        if answer.status not in request.accepted:
            raise self._refusal(request, answer)
        return answer

    def _exchange(self, request: Request, token: str | None) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        method = "GET" if request.json is None and request.form is None else "POST"
        try:
            with self._http.stream(
                method,
                request.url,
                params=request.parameters or None,
                json=request.json,
                data=request.form,
                headers=headers,
            ) as response:
                self._see_clock(response.headers.get("Date"))
                return Answer(status=response.status_code, headers=response.headers, body=self._body(response))
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _lost(request.url, error) from error

    def _body(self, response: httpx.Response) -> bytes:
        body, most = bytearray(), self._patience.page_bytes
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > most:
                raise spec_wrong(
                    "PageTooLarge",
                    f"{_place(str(response.url))} answers with more than {most >> 20} MiB at once. Ask for smaller "
                    "pages, or for less.",
                )
        return bytes(body)

    def _see_clock(self, date: str | None) -> None:
        try:
            self.server_time = parsedate_to_datetime(date).astimezone(UTC) if date else self.server_time
        except ValueError:
            _LOG.warning("the API's clock cannot be read: its header Date is no date")

    def _refusal(self, request: Request, answer: Answer) -> JobError:
        what, said = _place(request.url), self._words(answer)
        status = answer.status
        if status == HTTPStatus.TOO_MANY_REQUESTS or "REQUEST_LIMIT_EXCEEDED" in said:
            return Passing("SourceThrottled", f"{what} takes no more requests for now: {said}", self._asked(answer))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            return Passing("SourceUnavailable", f"{what} answers {said}. The run is tried again.", self._asked(answer))
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return unavailable(
                "AccessDenied",
                f"{what} answers {said}. Check the Secret named as credentials and what its owner may read; the next "
                "attempt uses it as it is then.",
            )
        return spec_wrong("SourceRefused", f"{what} answers {said}. Correct source.rest, or the contract's properties.")

    def _words(self, answer: Answer) -> str:
        """Give the API's own words on one line, without what is secret."""
        text = " ".join(answer.body[: 10 * _WORDS_SHOWN].decode(errors="replace").split())
        for secret in self._tokens.secrets:
            text = text.replace(secret, "***")
        return f"{answer.status} {text[:_WORDS_SHOWN]}".strip()

    def _asked(self, answer: Answer) -> float | None:
        """Read the header Retry-After: seconds, or a time by the API's own clock."""
        text = answer.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        try:
            wait = (
                parsedate_to_datetime(text) - (self.server_time or datetime.max.replace(tzinfo=UTC))
            ).total_seconds()
        except (ValueError, TypeError):
            return None
        return max(wait, 0.0)


def malformed(url: str, problem: object) -> Passing:
    """Say that an answer is not what the API should give; another attempt may get a sound one."""
    return Passing("SourceMalformed", f"{_place(url)} does not answer with what it should: {problem}.")


def next_url(base: str, link: str) -> str:
    """Give the next page's URL. It must be of the same host: nothing else is allowed, and none else gets the token."""
    url = urljoin(base, link)
    if urlsplit(url)[:2] != urlsplit(base)[:2]:
        raise spec_wrong(
            "SourceRefused",
            f"{_place(base)} says that its next page is at {_place(url)}: pages of another host are not read.",
        )
    return url


def _lost(url: str, error: Exception) -> JobError:
    what = _place(url)
    if isinstance(tls := _cause(error), ssl.SSLCertVerificationError):
        return unavailable(
            "SourceUntrusted",
            f"{what}: its certificate is not trusted: {tls.verify_message}. Correct source.rest.url, or let the "
            "settings name the authority (settings.spark.caBundleConfigMap).",
        )
    told = str(error) or type(error).__name__
    return Passing("SourceUnavailable", f"{what} cannot be reached: {told}. The run is tried again.")


def _cause(error: BaseException) -> BaseException:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # one of them is there
    return error


def _place(url: str) -> str:
    """Leave out what a URL asks for: it can be long, and hold values."""
    return url.partition("?")[0]
