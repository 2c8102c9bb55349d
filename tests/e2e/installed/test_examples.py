"""The examples beside the CRM accounts, as they are: a database, a topic and web APIs fill tables on a real node."""

import pytest

from lakehouse_dev import demo_sources
from lakehouse_dev.demo_sources import Example
from tests.e2e.installed.stage import Stage, ready

EXAMPLES = demo_sources.examples()


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_the_example_fills_its_table_and_another_run_adds_nothing(serving: Stage, one: Example) -> None:
    first = serving.settled(one.name, "lakehouse")
    assert ready(first)[0] == "True", first
    assert list(demo_sources.wrong_counts(serving.lake, [one])) == []

    run_now = ("annotate", "ingestpipeline", one.name, "lakehouse.dev/run-now=again", "--overwrite")
    serving.kubectl("--namespace", "lakehouse", *run_now)
    again = serving.until(
        one.name,
        lambda status: status["lastHandledRunNow"] == "again" and not status.get("active"),
        "run again",
        namespace="lakehouse",
    )
    assert ready(again)[0] == "True", again
    assert list(demo_sources.wrong_counts(serving.lake, [one])) == []
