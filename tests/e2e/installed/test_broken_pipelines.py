"""Whatever is wrong with a pipeline, its status says so, each with its own reason, and none delays another."""

import pytest

from tests.e2e.installed.broken import BROKEN, Broken
from tests.e2e.installed.stage import NAMESPACE, Stage, ready


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_the_status_says_what_is_wrong(applied: Stage, case: Broken) -> None:
    status = applied.settled(case.pipeline["metadata"]["name"])

    assert ready(status) == ("False", case.reason), status["conditions"]
    message = next(one["message"] for one in status["conditions"] if one["type"] == "Ready")
    assert case.words in message


def test_what_only_a_person_can_mend_is_stalled(applied: Stage) -> None:
    for case in BROKEN.values():
        status = applied.settled(case.pipeline["metadata"]["name"])
        assert "Stalled" in {one["type"] for one in status["conditions"]}, status["conditions"]


def test_kubectl_wait_ends_when_a_contract_comes_later(applied: Stage) -> None:
    """A pipeline that was applied before its contract starts as soon as there is one."""
    contract = {
        "apiVersion": "lakehouse.dev/v1alpha1",
        "kind": "DataContract",
        "metadata": {"name": "late", "namespace": NAMESPACE},
        "spec": {"schema": {"type": "object", "properties": {"Id": {"type": "string"}}}},
    }
    late = next(iter(BROKEN.values())).pipeline
    spec = {key: value for key, value in late["spec"].items() if key != "schedule"}
    pipeline = {
        **late,
        "metadata": {"name": "late", "namespace": NAMESPACE},
        "spec": {**spec, "contract": {"ref": "late"}, "target": {"table": "bronze.late"}},
    }
    applied.apply(pipeline)
    applied.until("late", lambda status: ready(status) == ("False", "ContractMissing"), "its contract is missing")

    applied.apply(contract)
    applied.kubectl("--namespace", NAMESPACE, "wait", "ingestpipeline/late", "--for=condition=Ready", "--timeout=5m")

    assert ready(applied.status("late")) == ("True", "Ingested")
