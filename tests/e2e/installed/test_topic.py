"""The example that reads a topic, as it is, from a broker in the cluster that asks for a password."""

import pytest

from lakehouse_dev import paths
from lakehouse_dev.cluster import kafka as pod
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.kafka_events import events
from tests.e2e.installed.stage import Stage, ready

EXAMPLE = paths.REPOSITORY / "examples" / "kafka_events_pipeline.yaml"
NAME, TABLE = "kafka-events", "bronze.kafka_events"


@pytest.fixture(scope="module")
def serving(cluster: Provider, installed: Stage) -> Stage:
    """Return the stage with the broker in it and the example applied."""
    pod.deploy(cluster, "lakehouse")
    installed.kubectl("apply", f"--filename={EXAMPLE}")
    return installed


def test_the_example_fills_its_table_and_another_run_adds_nothing(serving: Stage) -> None:
    made = events()

    first = serving.settled(NAME, "lakehouse")
    assert ready(first)[0] == "True", first
    assert serving.lake.count(TABLE) == made.accepted
    assert serving.lake.count(f"{TABLE}__quarantine") == made.refused

    run_now = ("annotate", "ingestpipeline", NAME, "lakehouse.dev/run-now=again", "--overwrite")
    serving.kubectl("--namespace", "lakehouse", *run_now)
    again = serving.until(
        NAME,
        lambda one: one["lastHandledRunNow"] == "again" and not one.get("active"),
        "run again",
        namespace="lakehouse",
    )
    assert ready(again) == ("True", "NoNewRows"), again
    assert serving.lake.count(TABLE) == made.accepted
