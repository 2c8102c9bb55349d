"""Nothing hangs and nothing is left: when a namespace goes, when the operator goes."""

from collections.abc import Iterator

import pytest

from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.installation import Installation, make_tenant
from lakehouse_operator.core.names import DRIVER_FINALIZER
from tests.e2e.installed.conftest import Images
from tests.e2e.installed.stage import Stage, pipeline

HUGE = {"driver": {"memory": "900Gi"}}
"""Fits on no node: its driver stays pending, held by the finalizer."""
LEAVING = "e2e-leaving"


@pytest.fixture
def second(cluster: Provider, images: Images, installed: Stage) -> Iterator[Installation]:
    """Install another operator for one more namespace, beside the first one."""
    release = Installation(kubeconfig=cluster.kubeconfig, release="leaving", namespace="leaving-system")
    values = {
        "crds.enabled": False,
        "watchNamespaces": [LEAVING],
        "settings.tenancy": [{"namespace": LEAVING, "tables": ["bronze.*"], "uris": ["s3://*"]}],
    }
    try:
        make_tenant(cluster.kubeconfig, LEAVING)
        release.install(operator=images.operator, spark=images.spark, values=values)
        yield release
    finally:
        installed.kubectl("delete", "namespace", LEAVING, "leaving-system", "--ignore-not-found", "--timeout=120s")


def _held_driver(stage: Stage, namespace: str) -> str:
    def look() -> str | None:
        pods = stage.get("pods", "--selector=spark-role=driver", namespace=namespace)["items"]
        return next((one["metadata"]["name"] for one in pods if one["metadata"].get("finalizers")), None)

    return stage.eventually(look, lambda: f"a driver Pod in {namespace}")


def test_helm_uninstall_leaves_nothing_and_releases_the_drivers(second: Installation, installed: Stage) -> None:
    installed.apply(pipeline("waiting", namespace=LEAVING, spark=HUGE))
    pod = _held_driver(installed, LEAVING)

    second.uninstall()

    selector = "--selector=app.kubernetes.io/instance=leaving"
    kinds = "deployments,pods,jobs,configmaps,serviceaccounts,roles,rolebindings,services,leases"
    left = installed.kubectl("get", kinds, "--all-namespaces", selector, "--output=name")
    cluster_wide = installed.kubectl("get", "clusterroles,clusterrolebindings", selector, "--output=name")
    assert (left, cluster_wide) == ("", "")
    assert DRIVER_FINALIZER not in installed.get("pod", pod, namespace=LEAVING)["metadata"].get("finalizers", [])

    installed.kubectl("delete", "namespace", LEAVING, "--timeout=120s")


def test_deleting_a_namespace_does_not_hang(cluster: Provider, installed: Stage) -> None:
    namespace = "e2e-gone"
    installed.apply(pipeline("waiting", namespace=namespace, spark=HUGE))
    _held_driver(installed, namespace)

    installed.kubectl("delete", "namespace", namespace, "--timeout=120s")

    assert namespace not in installed.kubectl("get", "namespaces", "--output=name")
