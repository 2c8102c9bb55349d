"""The store takes news in any order and never goes back."""

from typing import Any

import pytest

from lakehouse_operator.core import names
from lakehouse_operator.kube.observe import contract_shown, pipeline_references
from lakehouse_operator.kube.store import Key, Store, owner_key

PIPELINE = Key("IngestPipeline", "lakehouse", "accounts")
CONTRACT = Key("DataContract", "lakehouse", "crm")


def resource(key: Key = PIPELINE, version: int = 10, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": key.namespace, "name": key.name, "uid": "u1", "resourceVersion": str(version)}
    return {"kind": key.kind, "metadata": metadata, "spec": spec}


def driver(name: str = "run-driver", version: int = 10, phase: str = "Pending", uid: str = "u1") -> dict[str, Any]:
    owner = {"kind": PIPELINE.kind, "name": PIPELINE.name, "uid": uid, "controller": True}
    metadata = {
        "namespace": PIPELINE.namespace,
        "name": name,
        "uid": f"pod-{name}",
        "resourceVersion": str(version),
        "ownerReferences": [owner],
        "managedFields": [{"manager": "kubelet"}],
    }
    return {"metadata": metadata, "status": {"phase": phase}}


@pytest.fixture
def store() -> Store:
    return Store({PIPELINE.kind: pipeline_references})


def test_a_new_resource_concerns_itself(store: Store) -> None:
    assert store.put_resource(resource()) == {PIPELINE}


def test_what_is_known_already_concerns_nobody(store: Store) -> None:
    store.put_resource(resource(version=10))

    assert store.put_resource(resource(version=10)) == set()


def test_a_late_event_does_not_replace_what_was_written_since(store: Store) -> None:
    store.put_resource(resource(version=20, suspend=True))

    assert store.put_resource(resource(version=9, suspend=False)) == set()
    known = store.resource(PIPELINE)
    assert known is not None
    assert known["spec"] == {"suspend": True}


def test_what_was_deleted_does_not_come_back_by_a_late_event(store: Store) -> None:
    store.put_resource(resource(version=10))
    store.remove_resource(resource(version=30))

    assert store.put_resource(resource(version=20)) == set()
    assert store.resource(PIPELINE) is None


def test_what_was_made_again_after_its_deletion_is_news(store: Store) -> None:
    store.remove_resource(resource(version=30))

    assert store.put_resource(resource(version=31)) == {PIPELINE}


def test_a_late_deletion_does_not_remove_what_was_made_since(store: Store) -> None:
    store.put_resource(resource(version=31))

    assert store.remove_resource(resource(version=30)) == set()
    assert store.resource(PIPELINE) is not None


def test_a_contract_concerns_the_pipelines_that_name_it(store: Store) -> None:
    store.put_resource(resource(contract={"ref": "crm"}))

    assert store.put_resource(resource(CONTRACT)) == {CONTRACT, PIPELINE}
    assert store.dependents(CONTRACT) == (PIPELINE,)


def test_a_pipeline_that_names_another_contract_concerns_both(store: Store) -> None:
    other = CONTRACT._replace(name="erp")
    store.put_resource(resource(CONTRACT))
    store.put_resource(resource(other))
    store.put_resource(resource(version=10, contract={"ref": "crm"}))

    assert store.put_resource(resource(version=11, contract={"ref": "erp"})) == {PIPELINE, CONTRACT, other}
    assert store.dependents(CONTRACT) == ()


def test_a_pipeline_that_ran_with_another_version_concerns_its_contract(store: Store) -> None:
    store.put_resource(resource(CONTRACT))
    store.put_resource(resource(version=10, contract={"ref": "crm"}))
    ran = resource(version=11, contract={"ref": "crm"}) | {"status": {"contractVersion": "abc"}}
    again = resource(version=12, contract={"ref": "crm"}) | {"status": {"contractVersion": "abc", "lastRows": 7}}

    assert store.put_resource(ran) == {PIPELINE, CONTRACT}
    assert store.put_resource(again) == {PIPELINE}


def test_what_a_contract_tells_of_its_pipelines_does_not_concern_them() -> None:
    store = Store({PIPELINE.kind: pipeline_references}, {CONTRACT.kind: contract_shown})
    store.put_resource(resource(contract={"ref": "crm"}))
    store.put_resource(resource(CONTRACT, 10))
    used = resource(CONTRACT, 11) | {"status": {"usedBy": 1}}
    accepted = resource(CONTRACT, 12) | {"status": {"usedBy": 1, "accepted": {"version": "abc"}}}

    assert store.put_resource(used) == {CONTRACT}
    assert store.put_resource(accepted) == {CONTRACT, PIPELINE}


def test_pipelines_that_fill_one_table_concern_each_other_when_they_come_change_how_and_go(store: Store) -> None:
    other, target = PIPELINE._replace(namespace="elsewhere"), {"table": "bronze.crm"}
    store.put_resource(resource(version=10, target=target))

    assert store.put_resource(resource(other, 11, target=target)) == {PIPELINE, other}
    assert store.put_resource(resource(other, 12, target=target, schedule="0 * * * *")) == {other}
    assert store.put_resource(resource(other, 13, target=target, suspend=True)) == {PIPELINE, other}
    assert store.put_resource(resource(other, 14, target={"table": "bronze.erp"})) == {PIPELINE, other}
    assert store.put_resource(resource(other, 15, target=target)) == {PIPELINE, other}
    assert store.remove_resource(resource(other, 16, target=target)) == {PIPELINE, other}


@pytest.mark.parametrize("target", [None, "crm", {"table": 7}, {}])
def test_a_target_that_is_none_concerns_nobody(store: Store, target: Any) -> None:
    assert store.put_resource(resource(target=target)) == {PIPELINE}


@pytest.mark.parametrize("contract", [None, "crm", [], {"ref": 7}, {}])
def test_a_contract_that_is_no_reference_refers_to_nothing(store: Store, contract: Any) -> None:
    assert store.put_resource(resource(contract=contract)) == {PIPELINE}


def test_a_driver_concerns_the_resource_it_belongs_to(store: Store) -> None:
    assert store.put_driver(driver()) == {PIPELINE}
    assert [pod["metadata"]["name"] for pod in store.drivers(PIPELINE)] == ["run-driver"]


def test_a_driver_whose_owner_was_taken_away_is_found_by_its_labels() -> None:
    pod = driver()
    pod["metadata"]["ownerReferences"] = []
    pod["metadata"]["labels"] = {names.KIND: PIPELINE.kind, names.NAME: PIPELINE.name}

    assert owner_key(pod) == PIPELINE


def test_drivers_count_as_active_until_they_have_finished(store: Store) -> None:
    store.put_driver(driver("one"))
    store.put_driver(driver("two"))
    store.put_driver(driver("two", version=11, phase="Succeeded"))

    assert (store.active("lakehouse"), store.active("elsewhere"), store.active_total()) == (1, 0, 1)


def test_a_driver_that_is_gone_is_forgotten(store: Store) -> None:
    store.put_driver(driver())

    assert store.remove_driver(driver(version=12)) == {PIPELINE}
    assert store.drivers(PIPELINE) == ()
    assert store.driver("lakehouse", "run-driver") is None
    assert store.active_total() == 0


def test_who_wrote_which_field_is_not_kept(store: Store) -> None:
    store.put_driver(driver())

    assert "managedFields" not in store.drivers(PIPELINE)[0]["metadata"]
