"""How driver Pods are judged, from the statuses that kubelets and controllers write."""

from datetime import timedelta
from typing import Any

import pytest

from lakehouse_operator.core import ingest_pipeline
from lakehouse_operator.core.drivers import Phase, read_driver
from tests import gen
from tests.gen import NOW

LATER = NOW + timedelta(minutes=5)


def pod() -> dict[str, Any]:
    plan = ingest_pipeline.reconcile(gen.pipeline(), ingest_pipeline.Seen(), NOW, gen.config())
    assert plan.launch is not None
    return gen.born(plan.launch.pod, NOW)


def disrupted(reason: str) -> dict[str, Any]:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "node pressure"}
    return gen.with_status(pod(), phase="Failed", conditions=[condition])


ENDS = [
    pytest.param(gen.ended(pod(), LATER, result=gen.succeeded()), "Ingested", True, True, id="a result document"),
    pytest.param(
        gen.ended(pod(), LATER, code=1, result=gen.succeeded()),
        "Ingested",
        True,
        True,
        id="a result document outranks the exit code",
    ),
    pytest.param(gen.ended(pod(), LATER, code=0), "ResultMissing", True, True, id="a good end without a result"),
    pytest.param(
        gen.ended(pod(), LATER, code=137, reason="OOMKilled"), "OutOfMemory", True, True, id="the kernel killed it"
    ),
    pytest.param(gen.ended(pod(), LATER, code=137), "DriverFailed", True, True, id="something else killed it"),
    pytest.param(gen.ended(pod(), LATER, code=64), "SpecWrong", True, False, id="the job refused its spec"),
    pytest.param(gen.ended(pod(), LATER, code=65), "DataRefused", True, False, id="the job refused its data"),
    pytest.param(gen.ended(pod(), LATER, code=75), "Unavailable", True, True, id="the source was away"),
    pytest.param(gen.ended(pod(), LATER, code=11), "DriverFailed", True, True, id="too many executors failed"),
    pytest.param(
        gen.with_status(pod(), phase="Failed", reason="Evicted", message="disk"), "Evicted", False, True, id="evicted"
    ),
    pytest.param(gen.with_status(pod(), phase="Failed", reason="NodeLost"), "NodeLost", False, True, id="node lost"),
    pytest.param(
        gen.with_status(pod(), phase="Failed", reason="DeadlineExceeded"), "TimedOut", True, True, id="timed out"
    ),
    pytest.param(disrupted("PreemptionByScheduler"), "Preempted", False, True, id="preempted"),
    pytest.param(disrupted("TerminationByKubelet"), "Evicted", False, True, id="the node shut down"),
    pytest.param(disrupted("DeletionByTaintManager"), "DeletionByTaintManager", False, True, id="the node was tainted"),
    pytest.param(
        gen.with_status(pod(), phase="Failed"), "DriverLost", False, True, id="collected with empty container statuses"
    ),
    pytest.param(
        gen.deleting(gen.ended(pod(), LATER, code=143), LATER), "DriverDeleted", True, True, id="deleted by hand"
    ),
    pytest.param(gen.deleting(pod(), LATER), "DriverDeleted", True, True, id="deleted before a node took it up"),
    pytest.param(
        gen.deleting(gen.running(pod(), NOW), NOW - timedelta(minutes=10)),
        "NodeLost",
        False,
        True,
        id="should have been gone for long",
    ),
]


@pytest.mark.parametrize(("manifest", "reason", "counts", "retried"), ENDS)
def test_an_end_is_judged(manifest: dict[str, Any], reason: str, counts: bool, retried: bool) -> None:  # noqa: FBT001
    driver = read_driver(manifest, LATER)
    assert driver.phase is Phase.ENDED
    assert driver.verdict is not None
    assert driver.verdict.reason == reason
    if driver.verdict.outcome != "Succeeded":
        assert (driver.verdict.counts, driver.verdict.retried) == (counts, retried)


def test_a_bound_driver_that_is_deleted_ends_when_its_kubelet_says_so_or_is_lost() -> None:
    manifest = gen.deleting(gen.bound(pod()), NOW)
    assert read_driver(manifest, NOW).verdict is None
    lost = read_driver(manifest, NOW + timedelta(minutes=6)).verdict
    assert lost is not None
    assert lost.reason == "NodeLost"


WAITS = [
    pytest.param("ImagePullBackOff", "ImagePullFailed", id="the image is not there"),
    pytest.param("InvalidImageName", "ImagePullFailed", id="the image has no valid name"),
    pytest.param("CrashLoopBackOff", "DriverNotStarting", id="something the kubelet names"),
    pytest.param("ContainerCreating", "", id="on its way"),
]


@pytest.mark.parametrize(("waiting", "reason"), WAITS)
def test_a_wait_is_named(waiting: str, reason: str) -> None:
    driver = read_driver(gen.waiting(pod(), waiting, "details"), LATER)
    assert (driver.phase, driver.waiting) == (Phase.PENDING, reason)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param('secret "landing-s3" not found', "SecretMissing", id="no Secret"),
        pytest.param("couldn't find key AWS_ACCESS_KEY_ID in Secret lakehouse/s", "SecretMissing", id="no key"),
        pytest.param('configmap "x" not found', "ConfigMissing", id="no ConfigMap"),
    ],
)
def test_what_the_container_cannot_be_configured_with_is_named(message: str, reason: str) -> None:
    driver = read_driver(gen.waiting(pod(), "CreateContainerConfigError", message), LATER)
    assert (driver.waiting, driver.waiting_message) == (reason, message)


def test_a_pod_no_node_can_take_says_why() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: memory"}
    driver = read_driver(gen.with_status(pod(), phase="Pending", conditions=[condition]), LATER)
    assert (driver.waiting, driver.waiting_message) == ("Unschedulable", "0/1 nodes: memory")


def test_a_sidecar_that_still_runs_does_not_hide_the_end_of_the_driver() -> None:
    over = gen.ended(pod(), LATER, result=gen.succeeded())
    sidecar = {"name": "proxy", "state": {"running": {"startedAt": "2026-11-23T22:00:00Z"}}}
    statuses = [sidecar, *over["status"]["containerStatuses"]]
    driver = read_driver(gen.with_status(over, phase="Running", containerStatuses=statuses), LATER)
    assert driver.phase is Phase.ENDED


def test_the_tail_of_the_log_is_kept_when_there_is_no_result() -> None:
    driver = read_driver(gen.ended(pod(), LATER, code=1, message="x" * 3000 + "the last line"), LATER)
    assert driver.verdict is not None
    assert driver.verdict.log_tail is not None
    assert driver.verdict.log_tail.endswith("the last line")
    assert len(driver.verdict.log_tail) == 2048


@pytest.mark.parametrize("said", ['{"outcome": "Succeeded"', '{"outcome": 5}', "{}", "[]", "\x00{"])
def test_a_broken_result_document_is_no_result(said: str) -> None:
    driver = read_driver(gen.ended(pod(), LATER, code=1, message=said), LATER)
    assert driver.verdict is not None
    assert driver.verdict.reason == "DriverFailed"
