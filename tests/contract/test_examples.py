"""Every example is complete by itself, is taken by the CRDs, and runs under the settings of the demo."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lakehouse_api.kinds import DATA_CONTRACT, INGEST_PIPELINE, KINDS
from lakehouse_dev import paths
from lakehouse_dev.chart import CHART
from lakehouse_dev.crds import crd
from lakehouse_operator.core import data_contract, ingest_pipeline
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.plan import Plan
from lakehouse_operator.core.resource import Resource
from tests.contract.strict_schema import resource_schema

EXAMPLES = sorted((paths.REPOSITORY / "examples").glob("*.yaml"))
CRM = paths.REPOSITORY / "examples" / "crm_accounts_pipeline.yaml"
SCHEMAS = {kind.kind: resource_schema(crd(kind)) for kind in KINDS}

Documents = list[dict[str, Any]]


def _documents(path: Path) -> Documents:
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def _of_kind(documents: Documents, kind: str) -> Documents:
    return [one for one in documents if one["kind"] == kind]


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.name)
def documents(request: pytest.FixtureRequest) -> Documents:
    return _documents(request.param)


def test_the_example_has_only_fields_that_exist(documents: Documents) -> None:
    for document in documents:
        jsonschema.validate(document, SCHEMAS[document["kind"]])


def test_the_example_brings_the_contracts_that_it_names(documents: Documents) -> None:
    brought = {one["metadata"]["name"] for one in _of_kind(documents, DATA_CONTRACT.kind)}
    named = {one["spec"]["contract"].get("ref") for one in _of_kind(documents, INGEST_PIPELINE.kind)}

    assert named - {None} <= brought


def test_the_schema_of_the_example_is_the_one_in_the_repository(documents: Documents) -> None:
    for contract in _of_kind(documents, DATA_CONTRACT.kind):
        name = contract["spec"]["schema"]["$id"].rpartition("/")[2]
        schema = json.loads((paths.REPOSITORY / "schemas" / name).read_text())

        assert contract["spec"]["schema"] == schema


def _resource(document: dict[str, Any]) -> Resource:
    server = {"uid": "u-1", "generation": 1, "resourceVersion": "1", "creationTimestamp": "2026-11-23T22:00:00Z"}
    return Resource.read({**document, "metadata": {**document["metadata"], **server}})


def _plan(document: dict[str, Any], beside: Documents) -> Plan:
    """Decide as the operator of the demo does when the example has just been applied."""
    values = yaml.safe_load((CHART / "values-local.yaml").read_text())["settings"]
    config = Config.model_validate({**values, "spark": {**values["spark"], "image": "spark"}})
    now = datetime(2026, 11, 23, 22, 0, 30, tzinfo=UTC)
    if document["kind"] == DATA_CONTRACT.kind:
        return data_contract.reconcile(_resource(document), data_contract.Seen(), now, config)
    ref = document["spec"]["contract"].get("ref")
    contract = next((one for one in beside if one["metadata"]["name"] == ref and one["kind"] == "DataContract"), None)
    return ingest_pipeline.reconcile(_resource(document), ingest_pipeline.Seen(contract=contract), now, config)


def test_the_operator_of_the_demo_finds_nothing_wrong_with_the_example(documents: Documents) -> None:
    for document in documents:
        conditions = (_plan(document, documents).status or {})["conditions"]
        assert "Stalled" not in {condition["type"] for condition in conditions}, conditions


def test_the_crm_accounts_start_as_soon_as_they_are_applied() -> None:
    documents = _documents(CRM)
    [pipeline] = _of_kind(documents, INGEST_PIPELINE.kind)

    assert _plan(pipeline, documents).launch is not None


SCHEMAS_OF_THE_REPOSITORY = sorted((paths.REPOSITORY / "schemas").glob("*.json"))


@pytest.mark.parametrize("path", SCHEMAS_OF_THE_REPOSITORY, ids=lambda path: path.name)
def test_every_schema_of_the_repository_is_valid_json_schema(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))
