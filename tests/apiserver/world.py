"""What the tests of this folder do to the cluster, other than through the operator."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.kube.access import read_kubeconfig
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import Endpoint

NAMESPACES = Endpoint(api_version="v1", plural="namespaces", kind="Namespace")
SERVICE_ACCOUNTS = Endpoint(api_version="v1", plural="serviceaccounts", kind="ServiceAccount")
QUOTAS = Endpoint(api_version="v1", plural="resourcequotas", kind="ResourceQuota")
LIMIT_RANGES = Endpoint(api_version="v1", plural="limitranges", kind="LimitRange")


def administrator(control_plane: ControlPlane) -> Client:
    """Give a client that may do everything."""
    return Client(read_kubeconfig(control_plane.kubeconfig))


async def make_namespace(client: Client, name: str, labels: Mapping[str, str] | None = None) -> None:
    """Make a namespace with the drivers' service account, so that Pods can be made in it."""
    await client.create(NAMESPACES, "", {"metadata": {"name": name, "labels": labels or {}}})
    await client.create(SERVICE_ACCOUNTS, name, {"metadata": {"name": "driver", "namespace": name}})


@asynccontextmanager
async def temporary_namespace(client: Client, labels: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Make a namespace of a fresh name; it is deleted afterwards."""
    name = f"test-{secrets.token_hex(4)}"
    await make_namespace(client, name, labels)
    try:
        yield name
    finally:
        await client.delete(NAMESPACES, "", name)


def pod(name: str, **changes: Any) -> dict[str, Any]:
    """Give a Pod that asks for little."""
    resources = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    container = {"name": "main", "image": "none", "resources": resources}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"serviceAccountName": "driver", "containers": [container], **changes},
    }
