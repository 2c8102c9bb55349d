"""The CRDs are what the models say, and structural."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from lakehouse_api.kinds import KINDS, Kind
from lakehouse_dev import chart
from lakehouse_dev.crds import CRDS, rendered


@pytest.fixture(params=KINDS, ids=lambda kind: kind.kind)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def test_the_committed_crd_is_what_the_models_say(kind: Kind) -> None:
    assert (CRDS / f"{kind.plural}.yaml").read_text() == rendered(kind)


def test_the_crd_fits_the_schema_of_kubernetes(kind: Kind) -> None:
    kubernetes_validate.validate(yaml.safe_load(rendered(kind)), "1.34", strict=True)


def test_there_is_no_crd_without_a_model() -> None:
    assert {path.name for path in CRDS.iterdir()} == {f"{kind.plural}.yaml" for kind in KINDS}


def test_every_generated_file_of_the_chart_is_up_to_date() -> None:
    assert {path.name: path.read_text() for path in chart.files()} == {p.name: t for p, t in chart.files().items()}


def _nodes(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for one in node for found in _nodes(one)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for one in node.values() for found in _nodes(one))]


def test_every_list_says_how_it_merges(kind: Kind) -> None:
    spec = yaml.safe_load(rendered(kind))["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    lists = [node for node in _nodes(spec) if node.get("type") == "array"]
    assert [node for node in lists if "x-kubernetes-list-type" not in node] == []


def test_every_rule_has_a_sentence_for_the_user(kind: Kind) -> None:
    rules = [
        rule for node in _nodes(yaml.safe_load(rendered(kind))) for rule in node.get("x-kubernetes-validations", ())
    ]

    assert all(rule["message"] for rule in rules)
