"""The documentation speaks of the code as it is: reasons, resources, files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lakehouse_api.kinds import API_VERSION, KINDS
from lakehouse_dev import paths
from lakehouse_dev.crds import crd
from tests.contract.strict_schema import resource_schema

ROOT = paths.REPOSITORY
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
OPERATOR, JOBS = ROOT / "operator" / "lakehouse_operator", ROOT / "spark_images" / "lakehouse_jobs"
CAMEL = re.compile(r"[A-Z][a-z]+([A-Z][a-z]+)*")
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
MAKERS = {"spec_wrong", "unavailable", "JobError", "Violation", "Verdict", "Refusal", "Sign", "ready", "not_ready"}
MAKERS |= {"unproven", "reconciling", "stalled", "wait_for", "skip", "_skipped", "Event", "_event", "_ended", "idle"}
MAKERS |= {"DeliveryError"}


@pytest.fixture(params=PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _reasons_in(tree: ast.AST) -> Iterator[str]:
    """Find the CamelCase words that are handed to what makes reasons, or to an argument of that name."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        given = call.args if _called(call) in MAKERS else []
        for value in (*named, *given):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and CAMEL.fullmatch(value.value):
                yield value.value


def _reasons() -> set[str]:
    parts = ("core", "handlers", "delivery")
    files = [*(file for part in parts for file in (OPERATOR / part).glob("*.py")), *JOBS.rglob("*.py")]
    found = {reason for file in files for reason in _reasons_in(ast.parse(file.read_text()))}
    refusals = ast.parse((OPERATOR / "kube" / "refusals.py").read_text())
    words = {
        node.value for node in ast.walk(refusals) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return found | {word for word in words if CAMEL.fullmatch(word)}


def _documented() -> set[str]:
    text = "".join(
        (ROOT / "docs" / "reference" / f"{name}.md").read_text() for name in ("ingestpipeline", "datacontract")
    )
    return set(re.findall(r"`([A-Z][A-Za-z]+)`", text))


def test_every_reason_of_the_code_is_explained() -> None:
    reasons = _reasons()

    assert len(reasons) > 40, "the search for reasons finds too few to be trusted"
    assert reasons - _documented() == set()


def _resources(page: Path) -> list[dict[str, Any]]:
    blocks = (yaml.safe_load_all(block) for block in FENCE.findall(page.read_text()))
    documents = (document for block in blocks for document in block)
    return [one for one in documents if isinstance(one, dict) and one.get("apiVersion") == API_VERSION]


def test_every_resource_in_the_documentation_is_taken_by_its_crd() -> None:
    schemas = {kind.kind: resource_schema(crd(kind)) for kind in KINDS}
    found = [resource for page in PAGES for resource in _resources(page)]

    assert found
    for resource in found:
        jsonschema.validate(resource, schemas[resource["kind"]])


def test_every_field_of_a_spec_has_its_place_in_the_reference() -> None:
    for kind in KINDS:
        text = (ROOT / "docs" / "reference" / f"{kind.kind.lower()}.md").read_text()
        fields = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        assert [name for name in fields if f"`{name}" not in text] == []


def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", page.read_text())) <= targets
