"""The examples that read a warehouse, as they are: orders like Snowflake's, behaviour through Redshift's driver."""

import pytest

from lakehouse_dev import paths, warehouse
from lakehouse_dev.cluster import warehouse as pod
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.warehouse import Counts
from tests.e2e.installed.stage import Stage, ready

EXAMPLES = paths.REPOSITORY / "examples"
READ: dict[str, Counts] = {
    "snowflake-orders": warehouse.ORDER_COUNTS,
    "redshift-behavior": warehouse.EVENT_COUNTS,
}


@pytest.fixture(scope="module")
def serving(cluster: Provider, installed: Stage) -> Stage:
    """Return the stage with the warehouse in it and both examples applied at once."""
    pod.deploy(cluster, "lakehouse")
    for name in READ:
        installed.kubectl("apply", f"--filename={EXAMPLES / name.replace('-', '_')}_pipeline.yaml")
    return installed


@pytest.mark.parametrize("name", READ)
def test_the_example_fills_its_table_and_another_run_adds_nothing(serving: Stage, name: str) -> None:
    counts, table = READ[name], f"bronze.{name.replace('-', '_')}"

    first = serving.settled(name, "lakehouse")
    assert ready(first)[0] == "True", first
    assert serving.lake.count(table) == counts.accepted
    assert serving.lake.count(f"{table}__quarantine") == counts.refused

    run_now = ("annotate", "ingestpipeline", name, "lakehouse.dev/run-now=again", "--overwrite")
    serving.kubectl("--namespace", "lakehouse", *run_now)
    again = serving.until(
        name,
        lambda one: one["lastHandledRunNow"] == "again" and not one.get("active"),
        "run again",
        namespace="lakehouse",
    )
    assert ready(again) == ("True", "NoNewRows"), again
    assert serving.lake.count(table) == counts.accepted
