"""The operator in a dev cluster: installed, upgraded and removed by helm, as users do it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse_dev import s3, tools
from lakehouse_dev.chart import CHART
from lakehouse_dev.cluster import services, web
from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image

NAMESPACE = "lakehouse-system"
RELEASE = "lakehouse-operator"
SECRETS = ("lake-s3", "landing-s3")
"""What values-local.yaml and the examples call the Secrets of the lake's bucket and of the landing zone."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One release of the chart in one cluster."""

    kubeconfig: Path
    release: str = RELEASE
    namespace: str = NAMESPACE

    def install(self, *, operator: Image, spark: Image, values: Mapping[str, Any] | None = None) -> None:
        """Install the chart with its local values, or upgrade to it, and return when the operator is ready."""
        chosen = {**_of_image("image", operator), **_of_image("sparkImage", spark), **(values or {})}
        self._helm(
            "upgrade",
            "--install",
            self.release,
            str(CHART),
            f"--values={CHART / 'values-local.yaml'}",
            "--create-namespace",
            "--wait",
            "--timeout=3m",
            *(f"--set-json={key}={json.dumps(value)}" for key, value in chosen.items()),
        )

    def uninstall(self) -> None:
        """Remove the release and return when its objects, Pods included, are gone."""
        self._helm("uninstall", self.release, "--wait", "--cascade=foreground", "--timeout=3m")

    def log(self, lines: int = 40) -> str:
        """Return the end of the operator's log."""
        what = ["logs", f"--selector=app.kubernetes.io/instance={self.release}", f"--tail={lines}", "--prefix"]
        return services.kubectl(self.kubeconfig, "--namespace", self.namespace, *what)

    def _helm(self, *arguments: str) -> None:
        program = tools.program(tools.HELM)
        command = [str(program), *arguments, f"--kubeconfig={self.kubeconfig}", f"--namespace={self.namespace}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pods = services.kubectl(self.kubeconfig, "--namespace", self.namespace, "get", "pods,events")
            raise DevError(f"`helm {arguments[0]} {self.release}` failed: {done.stderr.strip()}\n{pods}")


def make_tenant(kubeconfig: Path, namespace: str, *, secrets: Sequence[str] = SECRETS) -> None:
    """Make a namespace for pipelines: the Secrets of the cluster's S3 stores, the authority of its APIs."""
    keys = {"AWS_ACCESS_KEY_ID": s3.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY}
    objects: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
    for name in secrets:
        metadata = {"name": name, "namespace": namespace}
        objects.append({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys})
    services.apply(kubeconfig, objects)
    web.trust(kubeconfig, namespace)


def _of_image(value: str, image: Image) -> dict[str, str]:
    repository, _, tag = image.name.rpartition(":")
    return {f"{value}.repository": repository, f"{value}.tag": tag}
