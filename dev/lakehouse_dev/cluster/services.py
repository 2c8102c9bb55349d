"""Putting the cluster's own services into it and waiting until they serve."""

import json
import subprocess
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse_dev import s3, tools
from lakehouse_dev.cluster import manifests
from lakehouse_dev.cluster.manifests import Manifest
from lakehouse_dev.errors import DevError
from lakehouse_dev.waiting import wait_until

READY_TIMEOUT_SECONDS = 120


def kubectl(kubeconfig: Path, *arguments: str, stdin: str = "") -> str:
    """Run kubectl and return what it prints."""
    command = [str(tools.kubectl()), f"--kubeconfig={kubeconfig}", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"`kubectl {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def apply(kubeconfig: Path, objects: Sequence[Manifest]) -> None:
    """Apply objects by server-side apply."""
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    arguments = ["apply", "--server-side", "--force-conflicts", "--field-manager=lakehouse-dev", "--filename=-"]
    kubectl(kubeconfig, *arguments, stdin=json.dumps(items))


def wait_for_node(kubeconfig: Path, name: str) -> None:
    """Return when the node is ready."""
    timeout = f"--timeout={READY_TIMEOUT_SECONDS}s"
    kubectl(kubeconfig, "wait", "--for=create", f"node/{name}", timeout)
    kubectl(kubeconfig, "wait", "--for=condition=Ready", f"node/{name}", timeout)


def node_ready(kubeconfig: Path) -> bool:
    """Tell whether the cluster's only node is ready; an API server that does not answer has none."""
    path = "{.items[0].status.conditions[?(@.type=='Ready')].status}"
    try:
        return kubectl(kubeconfig, "get", "nodes", f"--output=jsonpath={path}", "--request-timeout=5s") == "True"
    except DevError:
        return False


def wait_for_dns(kubeconfig: Path) -> None:
    """Return when the DNS server answers."""
    wait_for_deployment(kubeconfig, "kube-system", "coredns")


def wait_for_stores(kubeconfig: Path) -> None:
    """Return when both S3 stores run."""
    for region in manifests.REGIONS:
        wait_for_deployment(kubeconfig, manifests.S3_NAMESPACE, f"s3-{region}")


def make_buckets(region: str, endpoint: str) -> None:
    """Make a region's buckets, as soon as its store takes them."""
    client = s3.client(endpoint)
    for bucket in manifests.BUCKETS[region]:
        wait_until(lambda: _has_bucket(client, bucket), what=f"bucket {bucket} at {endpoint}", timeout=60, poll=0.2)  # noqa: B023 - called before the loop goes on


def _has_bucket(client: Any, bucket: str) -> bool:
    try:
        client.create_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return False
        if error.response["Error"]["Code"] not in {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}:
            raise
    except BotoCoreError:
        return False
    return True


def wait_for_deployment(kubeconfig: Path, namespace: str, name: str) -> None:
    """Return when a deployment's Pods are ready; raise DevError that describes them when they are not in time."""
    timeout = f"--timeout={READY_TIMEOUT_SECONDS}s"
    try:
        kubectl(kubeconfig, "--namespace", namespace, "rollout", "status", f"deployment/{name}", timeout)
    except DevError as error:
        pods = kubectl(kubeconfig, "--namespace", namespace, "describe", "pods", f"--selector=app={name}")
        raise DevError(f"{error}\n{pods[-3000:]}") from error
