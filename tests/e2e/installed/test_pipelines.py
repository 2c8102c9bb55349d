"""The main job on a real node: files under a contract become a bronze table, whatever happens to the driver."""

import time

from lakehouse_dev.crm_export import CrmExport
from lakehouse_dev.demo import EXAMPLE, MERGED, TABLE
from tests.e2e.installed.stage import NAMESPACE, SMALL_COUNTS, Stage, counts, pipeline, ready

OUTAGE_SECONDS = 60


def test_the_example_fills_its_table_and_another_run_adds_nothing(example: CrmExport, installed: Stage) -> None:
    installed.kubectl("apply", f"--filename={EXAMPLE}")
    first = installed.settled("crm-accounts", "lakehouse")
    assert ready(first) == ("True", "Ingested"), first
    assert (first["lastRows"], first["lastQuarantined"]) == (example.accepted, example.refused)
    assert installed.lake.count(TABLE) == example.accepted
    assert installed.lake.count(f"{TABLE}__quarantine") == example.refused
    assert installed.lake.count(MERGED) == installed.lake.count(TABLE, of='DISTINCT "Id"')

    run_now = ("annotate", "ingestpipeline", "crm-accounts", "lakehouse.dev/run-now=again", "--overwrite")
    installed.kubectl("--namespace", "lakehouse", *run_now)
    installed.until(
        "crm-accounts",
        lambda one: one["lastHandledRunNow"] == "again" and not one.get("active"),
        "run again",
        namespace="lakehouse",
    )

    again = installed.status("crm-accounts", "lakehouse")
    assert ready(again) == ("True", "NoNewFiles")
    assert again["lastRun"]["metrics"]["rowsWritten"] == 0
    assert installed.lake.count(TABLE) == example.accepted


def test_executors_do_the_work_in_cluster_mode(quiet: Stage) -> None:
    executor = {"instances": 1, "cores": 1, "memory": "512Mi"}
    spark = {"mode": "Cluster", "driver": {"memory": "512Mi"}, "executor": executor}
    quiet.apply(pipeline("spread", spark=spark))

    def executors() -> list[str]:
        found = quiet.get("pods", "--selector=lakehouse.dev/name=spread,spark-role=executor")["items"]
        return [one["spec"]["serviceAccountName"] for one in found]

    accounts = quiet.eventually(executors, lambda: "an executor of the pipeline `spread`")
    status = quiet.settled("spread")

    assert accounts == ["lakehouse-spark-executor"]
    assert ready(status) == ("True", "Ingested"), status
    assert counts(status) == SMALL_COUNTS


def test_a_driver_that_somebody_deletes_is_followed_by_another(installed: Stage) -> None:
    installed.apply(pipeline("deleted-driver", retry={"maxAttempts": 2, "backoff": "1s"}))
    pod = installed.running_driver("deleted-driver")
    installed.kubectl("--namespace", NAMESPACE, "delete", "pod", pod, "--wait=false")

    status = installed.settled("deleted-driver")

    assert ready(status) == ("True", "Ingested"), status
    assert status["lastRun"]["attempts"] == 2
    assert counts(status) == SMALL_COUNTS
    assert "DriverDeleted" in installed.kubectl(
        "--namespace", NAMESPACE, "describe", "ingestpipeline", "deleted-driver"
    )


def test_a_pipeline_deleted_while_it_runs_leaves_nothing(installed: Stage) -> None:
    installed.apply(pipeline("short-lived"))
    installed.running_driver("short-lived")

    installed.kubectl("--namespace", NAMESPACE, "delete", "ingestpipeline", "short-lived", "--timeout=60s")

    installed.eventually(
        lambda: not installed.objects_of("short-lived"), lambda: f"gone: {installed.objects_of('short-lived')}"
    )


def test_a_store_that_is_down_for_a_minute_delays_the_run_and_loses_nothing(quiet: Stage) -> None:
    quiet.kubectl("--namespace", "s3", "scale", "deployment/s3-east", "--replicas=0")
    down_since = time.monotonic()
    try:
        quiet.apply(pipeline("outage", retry={"maxAttempts": 10, "backoff": "5s", "maxBackoff": "10s"}))
        quiet.running_driver("outage")
        time.sleep(max(0.0, OUTAGE_SECONDS - (time.monotonic() - down_since)))  # the fault itself
    finally:
        quiet.kubectl("--namespace", "s3", "scale", "deployment/s3-east", "--replicas=1")
        quiet.kubectl("--namespace", "s3", "rollout", "status", "deployment/s3-east", "--timeout=2m")

    status = quiet.settled("outage")

    assert ready(status) == ("True", "Ingested"), status
    assert counts(status) == SMALL_COUNTS
    assert quiet.lake.count("bronze.outage") == SMALL_COUNTS["rowsWritten"]
