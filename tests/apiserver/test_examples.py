"""A real API server takes every example as it is, with kubectl's strict validation, and fills in what it leaves out."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from lakehouse_dev import paths, tools
from lakehouse_dev.control_plane import ControlPlane

EXAMPLES = sorted((paths.REPOSITORY / "examples").glob("*.yaml"))


def _kubectl(control_plane: ControlPlane, *arguments: str) -> str:
    command = [str(tools.program(tools.KUBERNETES, "kubectl")), f"--kubeconfig={control_plane.kubeconfig}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def lakehouse(installed: ControlPlane) -> Iterator[ControlPlane]:
    """Return the API server with the namespace that the examples name; nobody serves it."""
    _kubectl(installed, "create", "namespace", "lakehouse")
    yield installed
    _kubectl(installed, "delete", "namespace", "lakehouse", "--wait=false")


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.name)
def applied(request: pytest.FixtureRequest, lakehouse: ControlPlane) -> list[dict[str, Any]]:
    arguments = ("apply", "--validate=strict", f"--filename={request.param}", "--output=json")
    document: dict[str, Any] = json.loads(_kubectl(lakehouse, *arguments))
    return document["items"] if document["kind"] == "List" else [document]


def test_the_example_is_taken_and_has_not_been_looked_at_yet(applied: list[dict[str, Any]]) -> None:
    assert [one["status"]["observedGeneration"] for one in applied] == [-1] * len(applied)


def test_what_the_example_leaves_out_is_filled_in(applied: list[dict[str, Any]]) -> None:
    specs = [one["spec"] for one in applied if one["kind"] == "IngestPipeline"]

    assert all(spec["concurrencyPolicy"] == "Forbid" and spec["spark"]["mode"] for spec in specs)
