"""Nothing hangs and nothing is left: when a namespace goes, when the operator goes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse_dev import tools
from lakehouse_dev.chart import CHART
from lakehouse_dev.cluster.provider import Provider
from lakehouse_operator.core.names import DRIVER_FINALIZER
from tests.e2e.installed.conftest import Images
from tests.e2e.installed.stage import Stage, files, pipeline
from tests.guides import Reader

HUGE = {"driver": {"memory": "900Gi"}}
"""Fits on no node: its driver stays pending, held by the finalizer."""
LEAVING, SYSTEM, RELEASE = "e2e-leaving", "leaving-system", "leaving-lakehouse-operator"


@pytest.fixture
def beginner(cluster: Provider, images: Images, installed: Stage, tmp_path: Path) -> Iterator[Reader]:
    """Return somebody who is about to install another operator, for one more namespace, beside the first one."""
    more = {"crds": {"enabled": False}, "watchNamespaces": [LEAVING], "image": {"pullPolicy": "Never"}}
    (tmp_path / "more.yaml").write_text(yaml.safe_dump(more))
    places = {
        **_image_places("lakehouse-operator", images.operator.name),
        **_image_places("lakehouse-spark", images.spark.name),
        "charts/lakehouse-operator": str(CHART),
        "install lakehouse-operator": f"install {RELEASE}",
        "deployment/lakehouse-operator": f"deployment/{RELEASE}",
        "lakehouse-system": SYSTEM,
        "--values my-values.yaml": "--values my-values.yaml --values more.yaml",
        "namespace crm": f"namespace {LEAVING}",
        "namespace: crm": f"namespace: {LEAVING}",
        "<namespace>": LEAVING,
        "<name>": "called",
    }
    programs = {"helm": tools.program(tools.HELM)}
    yield Reader(folder=tmp_path, kubeconfig=cluster.kubeconfig, places=places, programs=programs)
    installed.kubectl("delete", "namespace", LEAVING, SYSTEM, "--ignore-not-found", "--timeout=120s")


def _image_places(name: str, image: str) -> Mapping[str, str]:
    repository, _, tag = image.rpartition(":")
    return {f'registry.example/{name}, tag: "0.1.0"': f'{repository}, tag: "{tag}"'}


def _waiting(name: str) -> dict[str, Any]:
    """Give a pipeline that the values of the guide allow, whose driver waits for ever."""
    source, target = files("s3://landing/crm/"), {"table": f"bronze.crm_{name}"}
    return pipeline(name, namespace=LEAVING, spark=HUGE, source=source, target=target)


def _drivers(stage: Stage, namespace: str) -> Mapping[str, Any]:
    pods = stage.get("pods", "--selector=spark-role=driver", namespace=namespace)["items"]
    return {one["metadata"]["name"]: one["metadata"].get("finalizers", []) for one in pods}


def _held_driver(stage: Stage, namespace: str, name: str) -> str:
    def look() -> str | None:
        held = (pod for pod, finalizers in _drivers(stage, namespace).items() if DRIVER_FINALIZER in finalizers)
        return next((pod for pod in held if pod.startswith(f"ing-{name}-")), None)

    return stage.eventually(look, lambda: f"a driver Pod of {name} in {namespace}")


def test_an_operator_is_installed_looked_after_and_removed_as_the_guides_say(
    beginner: Reader, installed: Stage
) -> None:
    beginner.follow("install.md", "4. Install")
    _look_after(beginner, installed)

    installed.apply(_waiting("last"))
    pod = _held_driver(installed, LEAVING, "last")
    beginner.follow("install.md", "Uninstall")

    installed.eventually(lambda: _left(installed) == ["", ""], lambda: f"nothing is left of it: {_left(installed)}")
    assert DRIVER_FINALIZER not in _drivers(installed, LEAVING)[pod]

    installed.kubectl("delete", "namespace", LEAVING, "--timeout=120s")


def _look_after(reader: Reader, stage: Stage) -> None:
    stage.apply(_waiting("called"))
    pod = _held_driver(stage, LEAVING, "called")
    on_call = replace(reader, places={**reader.places, "<status.active[0].pod>": pod})
    told = on_call.follow("on-call.md", "What is wrong?", "Is the operator well?", "Try again now", "Stop it")
    assert "called" in told[0]
    assert pod not in _drivers(stage, LEAVING)

    stage.apply(_waiting("stuck"))
    _held_driver(stage, LEAVING, "stuck")
    on_call.follow("on-call.md", "A Pod, or a namespace, that does not go away")
    assert [finalizers for finalizers in _drivers(stage, LEAVING).values() if finalizers] == []


def _left(stage: Stage) -> list[str]:
    selector = f"--selector=app.kubernetes.io/instance={RELEASE}"
    kinds = "deployments,pods,jobs,configmaps,serviceaccounts,roles,rolebindings,services,leases"
    cluster_wide = stage.kubectl("get", "clusterroles,clusterrolebindings", selector, "--output=name")
    return [stage.kubectl("get", kinds, "--all-namespaces", selector, "--output=name"), cluster_wide]


def test_deleting_a_namespace_does_not_hang(cluster: Provider, installed: Stage) -> None:
    namespace = "e2e-gone"
    installed.apply(pipeline("waiting", namespace=namespace, spark=HUGE))
    _held_driver(installed, namespace, "waiting")

    installed.kubectl("delete", "namespace", namespace, "--timeout=120s")

    assert namespace not in installed.kubectl("get", "namespaces", "--output=name")
