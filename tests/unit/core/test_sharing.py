"""Two pipelines that fill one table: what goes together, and who is told if it does not."""

from dataclasses import replace
from typing import Any

import pytest

from lakehouse_operator.core import ingest_pipeline
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.sharing import Filler, fillers_of, sharing_violation
from tests import gen

OLD, YOUNG = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"
OTHER_SCHEMA = {"type": "object", "properties": {"Id": {"type": "integer"}}}


def filler(created: str = OLD, name: str = "old", **spec: Any) -> Filler:
    body = gen.pipeline_body(name, **spec)
    body["metadata"]["creationTimestamp"] = created
    return fillers_of(body)[-1]


def told(own: Filler, *others: Filler) -> str | None:
    violation = sharing_violation(own.namespace, own.name, [own, *others])
    return violation.message if violation else None


@pytest.mark.parametrize(
    ("old", "young"),
    [
        pytest.param({}, {}, id="one schema"),
        pytest.param({"contract": {"ref": "crm"}}, {"contract": {"ref": "crm"}}, id="one contract by name"),
        pytest.param({}, {"contract": {"ref": "crm"}, "suspend": True}, id="another contract, suspended"),
        pytest.param({"suspend": True}, {"contract": {"ref": "crm"}}, id="another contract, the older one suspended"),
    ],
)
def test_these_fill_one_table_together(old: dict[str, Any], young: dict[str, Any]) -> None:
    one, other = filler(**old), filler(YOUNG, "young", **young)

    assert (told(one, other), told(other, one)) == (None, None)


REPLACING = {"target": {"table": "bronze.crm_accounts", "mode": "Overwrite"}}


@pytest.mark.parametrize(
    ("old", "young", "words"),
    [
        pytest.param({}, {"contract": {"schema": OTHER_SCHEMA}}, "under another contract", id="two schemas"),
        pytest.param({}, {"contract": {"ref": "crm"}}, "under another contract", id="a schema and a name"),
        pytest.param(REPLACING, {}, "replace the other's rows", id="the older one replaces"),
        pytest.param({}, REPLACING, "replace the other's rows", id="the younger one replaces"),
    ],
)
def test_of_these_the_older_one_goes_on_and_the_younger_one_is_told(
    old: dict[str, Any], young: dict[str, Any], words: str
) -> None:
    one, other = filler(**old), filler(YOUNG, "young", **young)

    assert told(one, other) is None
    message = told(other, one) or ""
    assert "bronze.crm_accounts is filled by the pipeline lakehouse/old" in message
    assert words in message


def into(history: str, **changes: Any) -> dict[str, Any]:
    merge = {"keys": ["Id"], "sequenceBy": ["At"], "history": history, "into": "silver.crm"}
    return {"target": {"table": f"bronze.{history.lower()}", "merge": merge}, **changes}


def test_a_history_is_filled_under_one_contract_and_newest_states_under_several() -> None:
    other = {"contract": {"schema": OTHER_SCHEMA}}
    history, newest = (filler(**into(kind)) for kind in ("Scd2", "Scd1"))

    assert told(filler(YOUNG, "young", **into("Scd2")), history) is None
    assert "spec.target.merge.into: silver.crm" in (
        told(filler(YOUNG, "young", **into("Scd2", **other)), history) or ""
    )
    assert newest.table == "bronze.scd1", "the table that newest states are merged into is nobody's alone"


def test_of_two_that_were_created_in_the_same_second_one_goes_on() -> None:
    one, other = filler(name="a"), filler(name="b", contract={"ref": "crm"})

    assert (told(one, other) is None, told(other, one) is None) == (True, False)


def test_contracts_of_one_name_in_two_namespaces_are_two() -> None:
    one = filler(contract={"ref": "crm"})
    body = gen.pipeline_body("young", contract={"ref": "crm"})
    body["metadata"] |= {"namespace": "elsewhere", "creationTimestamp": YOUNG}
    [other] = fillers_of(body)

    assert told(other, one)
    assert told(replace(other, contract=one.contract), one) is None


def test_a_pipeline_that_may_not_fill_the_table_of_another_is_stalled_and_starts_nothing() -> None:
    body = gen.pipeline_body("young", contract={"schema": OTHER_SCHEMA})
    seen = ingest_pipeline.Seen(fillers=(filler(), *fillers_of(body)))

    plan = ingest_pipeline.reconcile(Resource.read(body), seen, gen.NOW, gen.config())

    assert plan.launch is None
    conditions = {one["type"]: one["reason"] for one in (plan.status or {})["conditions"]}
    assert conditions == {"Ready": "TargetShared", "Stalled": "TargetShared"}
    assert [event.reason for event in plan.events] == ["TargetShared"]
