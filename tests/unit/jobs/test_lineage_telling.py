"""What a run's result says of its lineage; the runs of tests/spark tell the rest."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from lakehouse_api.lineage import KEY_VARIABLE
from lakehouse_api.run import RunResult, RunSpec
from lakehouse_jobs.failures import unavailable
from lakehouse_jobs.lineage.events import Events
from lakehouse_jobs.lineage.telling import LOST, Telling
from lakehouse_jobs.reporting import MESSAGE_LENGTH, failed
from tests.lineage_endpoint import LineageEndpoint
from tests.unit.jobs.test_lineage_events import AT, spec

FAILURE = unavailable("CredentialsMissing", "there is no such secret")


@pytest.fixture
def endpoint() -> Iterator[LineageEndpoint]:
    with LineageEndpoint() as running:
        yield running


def asked(endpoint: LineageEndpoint, **lineage: Any) -> RunSpec:
    return RunSpec.model_validate(spec(attempt=2).document() | {"lineage": endpoint.settings() | lineage})


def ended(run: RunSpec, result: RunResult | None = None) -> RunResult:
    """Let a run begin and fail before it has a Spark session."""
    telling = Telling.begin(run, {KEY_VARIABLE: "key"}, AT)
    return telling.failed(None, result or failed(FAILURE), FAILURE, AT)


def test_a_run_that_fails_before_spark_starts_is_told_after_the_attempt_that_could_not(
    endpoint: LineageEndpoint,
) -> None:
    lost = {"id": "ing-people-1", "slot": AT, "attempt": 1, "endedAt": AT, "reason": "OutOfMemory", "message": "more"}

    result = ended(asked(endpoint, untold=[lost]))

    assert result == failed(FAILURE)
    told = [(event["eventType"], event["run"]["facets"]["tags"]["tags"][1]["value"]) for event in endpoint.events]
    assert told == [("FAIL", "1"), ("START", "2"), ("FAIL", "2")]


def test_an_environment_without_an_endpoint_changes_nothing() -> None:
    assert ended(spec()) == failed(FAILURE)


def test_events_that_are_lost_are_counted_and_the_message_says_so_within_its_bounds(endpoint: LineageEndpoint) -> None:
    endpoint.status = 503
    long = failed(unavailable("Unexpected", "x" * 2000))

    short, cut = ended(asked(endpoint)), ended(asked(endpoint), long)

    assert short.metrics == cut.metrics == {LOST: 2}
    assert short.message.startswith("there is no such secret Lineage: 2 events of the run were not taken by ")
    assert short.message.endswith("it answers HTTP 503; not kept.")
    assert len(cut.message) <= MESSAGE_LENGTH


def test_an_event_that_cannot_be_made_is_a_fault_of_ours_and_not_of_the_run(
    endpoint: LineageEndpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("no such column")

    monkeypatch.setattr(Events, "started", broken)

    with caplog.at_level(logging.ERROR):
        result = ended(asked(endpoint))

    assert result == failed(FAILURE)
    assert endpoint.told() == ["FAIL"]
    assert "an event could not be made" in caplog.text
