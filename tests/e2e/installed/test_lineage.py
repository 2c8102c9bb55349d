"""Runs in Pods tell their lineage over TLS, with the key of a Secret; those that cannot be heard run all the same."""

import json
from typing import Any

import pytest

from lakehouse_dev import demo_sources
from lakehouse_dev.cluster import web
from tests.e2e.installed.stage import SMALL_COUNTS, Stage, counts, pipeline, ready
from tests.lineage_endpoint import problems


def told(stage: Stage) -> list[dict[str, Any]]:
    """Give the events that came, by the endpoint's log."""
    log = stage.kubectl("--namespace", web.NAMESPACE, "logs", f"deployment/{web.NAME}", "--tail=-1")
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("name", [one.name for one in demo_sources.examples() if one.name != "crm-accounts"])
def test_an_example_tells_what_it_read_and_wrote(serving: Stage, name: str) -> None:
    status = serving.settled(name, "lakehouse")
    assert ready(status)[0] == "True", status

    events = [event for event in told(serving) if event["job"]["name"] == f"lakehouse.ingestpipeline.{name}"]

    done = next(event for event in events if event["eventType"] == "COMPLETE")
    assert done["run"]["runId"] in {event["run"]["runId"] for event in events if event["eventType"] == "START"}
    assert [found for event in events for found in problems(event)] == []
    written = done["outputs"][0]
    assert written["outputFacets"]["outputStatistics"]["rowCount"] > 0
    assert written["facets"]["columnLineage"]["fields"]


def test_a_run_in_a_namespace_without_the_key_is_not_heard_and_goes_on(serving: Stage) -> None:
    serving.apply(pipeline("unheard"))

    status = serving.settled("unheard")

    assert ready(status) == ("True", "Ingested"), status
    assert counts(status) == SMALL_COUNTS
    assert status["lastRun"]["metrics"]["lineageEventsLost"] == 2
    assert "it answers HTTP 401; kept beside its report" in status["lastRun"]["message"]
