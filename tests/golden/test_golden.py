"""Whole Plans as files: given.yaml is the world, want.yaml is everything the operator then does.

`pytest tests/golden --update` rewrites want.yaml; read the difference before you commit it.
"""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lakehouse_api.data_contract import Consumer
from lakehouse_operator.core import data_contract, ingest_pipeline
from lakehouse_operator.core.compatibility import compare
from lakehouse_operator.core.instants import parse_time
from lakehouse_operator.core.notices import Notice
from lakehouse_operator.core.plan import ObjectRef, Plan
from lakehouse_operator.core.resource import Resource
from tests import gen

CASES = Path(__file__).parent / "cases"


def _text(plan: Plan) -> dict[str, Any]:
    """Give a plan as plain data in the order of its execution; what it does not do is absent."""
    launch = {"configMap": _opened(plan.launch.config_map), "pod": plan.launch.pod} if plan.launch else None
    parts: dict[str, Any] = {
        "stop": _refs(plan.stop),
        "launch": launch,
        "status": plan.status,
        "release": _refs(plan.release),
        "prune": _refs(plan.prune),
        "events": [f"{event.type} {event.reason}: {event.message}" for event in plan.events],
        "notices": [_notice(one) for one in plan.notices],
        "requeueAfter": str(plan.requeue_after) if plan.requeue_after is not None else None,
    }
    return {key: value for key, value in parts.items() if value}


def _notice(notice: Notice) -> dict[str, Any]:
    message = notice.message
    said = {"id": message.id, "subject": message.subject, "document": dict(message.document)}
    return {"to": notice.channel_id, "attempt": notice.attempt, **said}


def _opened(config_map: dict[str, Any]) -> dict[str, Any]:
    """Show the documents inside the ConfigMap as lines."""
    data = dict(config_map["data"])
    data["run.json"] = yaml.safe_load(data["run.json"])
    data["spark.properties"] = data["spark.properties"].splitlines()
    if "executor.yaml" in data:
        data["executor.yaml"] = yaml.safe_load(data["executor.yaml"])
    return {**config_map, "data": data}


def _refs(refs: tuple[ObjectRef, ...]) -> list[str]:
    return [f"{ref.kind} {ref.name}" for ref in refs]


def _pipeline_plan(given: dict[str, Any]) -> Plan:
    seen = ingest_pipeline.Seen(drivers=tuple(given.get("drivers", ())), contract=given.get("contract"))
    config = gen.config(**given.get("settings", {}))
    return ingest_pipeline.reconcile(_resource(gen.pipeline_body(), given), seen, parse_time(given["now"]), config)


def _contract_plan(given: dict[str, Any]) -> Plan:
    """Decide about a contract; what its pipelines are is given, the comparison is made as the operator makes it."""
    resource = _resource(gen.contract_body(), given)
    asked = data_contract.question(resource)
    seen = data_contract.Seen(
        consumers=tuple(Consumer.model_validate(one) for one in given.get("consumers", ())),
        verdict=compare(asked.old, asked.new, asked.mode) if asked else None,
    )
    return data_contract.reconcile(resource, seen, parse_time(given["now"]), gen.config())


def _resource(body: dict[str, Any], given: dict[str, Any]) -> Resource:
    resource = given["resource"]
    body["metadata"].update(resource.get("metadata", {}))
    body["spec"] = resource["spec"]
    body["status"] = resource.get("status", body["status"])
    return Resource.read(body)


PLANS = {"ingest_pipeline": _pipeline_plan, "data_contract": _contract_plan}


@pytest.mark.parametrize("case", sorted(CASES.glob("*/*")), ids=lambda case: case.name)
def test_a_world_gives_its_plan(case: Path, request: pytest.FixtureRequest) -> None:
    plan = PLANS[case.parent.name](yaml.safe_load((case / "given.yaml").read_text()))
    text = yaml.safe_dump(_text(plan), sort_keys=False, width=120, allow_unicode=True)
    want = case / "want.yaml"
    if request.config.getoption("--update"):
        want.write_text(text)
    assert want.read_text() == text
    if plan.launch:
        kubernetes_validate.validate(plan.launch.pod, "1.34", strict=True)
        kubernetes_validate.validate(plan.launch.config_map, "1.34", strict=True)
