"""The chart as helm renders it; helm itself is built once and kept."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse_dev import tools
from lakehouse_dev.chart import CHART

KUBERNETES = tools.KUBERNETES_VERSION.removeprefix("v")
ENVIRONMENTS = ("dev", "prod", "local")
MINIMUM = ("--set", "settings.lake.uri=s3://lake/tables")
RELEASE, NAMESPACE = "lakehouse-operator", "lakehouse-system"

Manifests = list[dict[str, Any]]


class Helm:
    """Runs helm on the chart without a cluster."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._program), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def render(self, *arguments: str) -> Manifests:
        """Give the manifests that an installation with these arguments would apply."""
        done = self.run("template", RELEASE, str(CHART), "-n", NAMESPACE, "--kube-version", KUBERNETES, *arguments)
        assert done.returncode == 0, done.stderr
        return [one for one in yaml.safe_load_all(done.stdout) if one]

    def refusal(self, *arguments: str) -> str:
        """Give what helm says about values that it does not take."""
        done = self.run("template", RELEASE, str(CHART), "--kube-version", KUBERNETES, *arguments)
        assert done.returncode != 0, "helm took the values"
        return done.stderr


def environment(name: str) -> tuple[str, str]:
    """Give the arguments that choose one of the chart's environments."""
    return "--values", str(CHART / f"values-{name}.yaml")


def of_kind(manifests: Manifests, kind: str) -> Manifests:
    """Keep the objects of one kind."""
    return [one for one in manifests if one["kind"] == kind]


@pytest.fixture(scope="session")
def helm() -> Helm:
    return Helm(tools.program(tools.HELM))
