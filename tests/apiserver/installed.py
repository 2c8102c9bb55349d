"""The parts of the chart that an API server alone can hold: CRDs, accounts, rights, the Lease."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import yaml

from lakehouse_dev import paths, tools
from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.kube.access import read_kubeconfig
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import LEASES, Endpoint
from lakehouse_operator.kube.errors import ConflictError, NotFoundError
from tests.apiserver.world import NAMESPACES, SERVICE_ACCOUNTS

RELEASE = "lakehouse-operator"
RELEASE_NAMESPACE = "lakehouse-system"
CHART = paths.REPOSITORY / "charts" / "lakehouse-operator"
_RBAC = "rbac.authorization.k8s.io/v1"
CRDS = Endpoint(
    api_version="apiextensions.k8s.io/v1", plural="customresourcedefinitions", kind="CustomResourceDefinition"
)
_HELD = {
    "ServiceAccount": SERVICE_ACCOUNTS,
    "Lease": LEASES,
    "ClusterRole": Endpoint(api_version=_RBAC, plural="clusterroles", kind="ClusterRole"),
    "ClusterRoleBinding": Endpoint(api_version=_RBAC, plural="clusterrolebindings", kind="ClusterRoleBinding"),
    "Role": Endpoint(api_version=_RBAC, plural="roles", kind="Role"),
    "RoleBinding": Endpoint(api_version=_RBAC, plural="rolebindings", kind="RoleBinding"),
}


def rendered(*arguments: str) -> list[dict[str, Any]]:
    """Give the chart's objects as Helm renders them, with more arguments if there are any."""
    helm = tools.program(tools.HELM)
    command = [str(helm), "template", RELEASE, str(CHART), "--namespace", RELEASE_NAMESPACE]
    settings = ["--kube-version", tools.KUBERNETES_VERSION, "--set", "settings.lake.uri=s3://lake"]
    done = subprocess.run([*command, *settings, *arguments], capture_output=True, text=True, check=True)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


async def install(client: Client) -> None:
    """Install what the API server can hold, and wait until it serves our kinds."""
    await client.create(NAMESPACES, "", {"metadata": {"name": RELEASE_NAMESPACE}})
    for file in sorted((paths.REPOSITORY / "crds").glob("*.yaml")):
        await _establish(client, yaml.safe_load(file.read_text()))
    for document in rendered():
        if document["kind"] in _HELD:
            namespace = document["metadata"].get("namespace", "")
            await client.create(_HELD[document["kind"]], namespace, document)


async def allow_notifications(client: Client, namespace: str) -> None:
    """Let the operator read Secrets of a namespace, as the chart does where notifications are enabled."""
    values = ["--set", f"notifications.enabled=true,notifications.namespaces={{{namespace}}}"]
    for document in await asyncio.to_thread(rendered, *values):
        if document["metadata"]["name"] == f"{RELEASE}-notifications":
            try:
                await client.create(_HELD[document["kind"]], namespace, document)
            except ConflictError:
                continue  # another test has done it


async def _establish(client: Client, crd: dict[str, Any]) -> None:
    await client.create(CRDS, "", crd)
    spec = crd["spec"]
    served = Endpoint(
        api_version=f"{spec['group']}/{spec['versions'][0]['name']}", plural=spec["names"]["plural"], kind=""
    )
    while True:
        try:
            return [None async for _ in client.list(served)].clear()
        except NotFoundError:
            continue


async def token_kubeconfig(
    client: Client, control_plane: ControlPlane, file: Path, *, namespace: str, account: str
) -> Path:
    """Write a kubeconfig of a service account, with the rights it has and no others."""
    request = Endpoint(api_version="v1", plural=f"serviceaccounts/{account}/token", kind="TokenRequest")
    made = await client.create(request, namespace, {"spec": {"expirationSeconds": 7200}})
    access = read_kubeconfig(control_plane.kubeconfig)
    authority = file.with_suffix(".crt")
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": account,
        "contexts": [{"name": account, "context": {"cluster": "test", "user": account}}],
        "clusters": [{"name": "test", "cluster": {"server": access.server, "certificate-authority": str(authority)}}],
        "users": [{"name": account, "user": {"token": made["status"]["token"]}}],
    }
    await asyncio.to_thread(authority.write_text, access.authority or "")
    await asyncio.to_thread(file.write_text, yaml.safe_dump(document))
    return file
