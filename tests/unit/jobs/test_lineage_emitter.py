"""Sending events: what a receiver took, and what becomes of a run whose receiver is lost."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.lineage import LineageEndpoint as Settings
from lakehouse_dev.certificates import Authority
from lakehouse_jobs.lineage.emitter import Emitter, Lost
from lakehouse_jobs.lineage.events import Events
from tests.lineage_endpoint import LineageEndpoint
from tests.unit.jobs.test_lineage_events import AT, spec

SECRET = "key-of-the-endpoint"


@pytest.fixture
def endpoint() -> Iterator[LineageEndpoint]:
    with LineageEndpoint() as running:
        yield running


def event(attempt: int = 1) -> dict[str, Any]:
    return Events(run=spec(attempt=attempt), namespace="lakehouse").started(AT)


def sent(url: str, *events: dict[str, Any], key: str | None = None, timeout: str = "10s") -> Lost | None:
    emitter = Emitter(Settings.model_validate({"url": url, "timeout": timeout}), key)
    for each in events:
        emitter.send(each)
    return emitter.close()


def test_events_arrive_in_order_with_the_key(endpoint: LineageEndpoint) -> None:
    events = [event(attempt) for attempt in (1, 2, 3)]

    assert sent(endpoint.url, *events, key=f"{SECRET}\n") is None

    assert endpoint.events == events
    assert endpoint.keys == [f"Bearer {SECRET}"] * 3


def test_without_a_key_nothing_is_shown(endpoint: LineageEndpoint) -> None:
    assert sent(endpoint.url, event(), key=" ") is None

    assert endpoint.keys == [None]


def test_a_fault_that_passes_loses_nothing(endpoint: LineageEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter((503, 201))
    take = endpoint._take

    def in_turn(request: Any) -> None:
        endpoint.status = next(answers)
        take(request)

    monkeypatch.setattr(endpoint, "_take", in_turn)

    assert sent(endpoint.url, event()) is None
    assert endpoint.told() == ["START"]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        pytest.param(401, "it answers HTTP 401", id="a key it does not know"),
        pytest.param(302, "it answers HTTP 302", id="another place: redirects are not followed"),
        pytest.param(500, "it answers HTTP 500", id="its own fault"),
        pytest.param(None, "no answer within 1s", id="silence"),
    ],
)
def test_what_is_not_taken_is_given_back_with_the_reason(
    endpoint: LineageEndpoint, status: int | None, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.status = status

    with caplog.at_level(logging.DEBUG, "lakehouse_jobs"):
        lost = sent(endpoint.url, event(1), event(2), key=SECRET, timeout="1s")

    assert lost is not None
    assert lost.events == (event(1), event(2))
    assert lost.why == f"{endpoint.url}: {why}"
    assert SECRET not in caplog.text + lost.why


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "key", "why"),
    [
        pytest.param(f"http://localhost:{closed_port()}/", SECRET, "no connection: ", id="nobody listens"),
        pytest.param("http://lineage.invalid/", SECRET, "no connection: ", id="a host that is not known"),
        pytest.param("http://localhost:1/", f"{SECRET}\nX: y", "correct the Secret", id="a key of two lines"),
        pytest.param("http://localhost:1/", f"{SECRET}ä", "correct the Secret", id="a key that is no ASCII"),
    ],
)
def test_what_cannot_be_sent_is_given_back_with_the_reason(url: str, key: str, why: str) -> None:
    lost = sent(url, event(), key=key)

    assert lost is not None
    assert lost.events == (event(),)
    assert why in lost.why
    assert SECRET not in lost.why


def test_a_certificate_of_nobody_is_not_trusted(tmp_path: Path) -> None:
    pair = Authority.create(tmp_path).server("server", names=["localhost"])
    with LineageEndpoint(tls=pair) as endpoint:
        lost = sent(endpoint.url, event(), key=SECRET)

    assert lost is not None
    assert "its certificate is not trusted" in lost.why
    assert endpoint.events == []
