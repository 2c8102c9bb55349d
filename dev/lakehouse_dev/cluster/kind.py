"""A cluster by kind (Kubernetes in Docker), where a Docker engine answers."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse_dev import service_images
from lakehouse_dev.cluster import manifests, services
from lakehouse_dev.cluster.places import Places
from lakehouse_dev.cluster.provider import Status
from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image

NODE_IMAGE = "kindest/node:v1.34.0"
_DATA = Path("/var/lakehouse-s3")


@dataclass(frozen=True, kw_only=True)
class KindCluster:
    """The provider `kind`. It brings DNS of its own; S3 and the interface are the same as of `native`."""

    name: str

    @property
    def kubeconfig(self) -> Path:
        """Return where the administrator's kubeconfig is while the cluster runs."""
        return Places(name=f"kind-{self.name}").kubeconfig

    def up(self) -> None:
        """Start the cluster unless it runs, and return when its node, DNS and S3 are ready."""
        if not self._exists():
            self._create()
        image = service_images.seaweedfs()
        self.load_image(image)
        services.apply(self.kubeconfig, manifests.stores(image.name, _DATA))
        services.wait_for_stores(self.kubeconfig)
        for region, endpoint in _endpoints().items():
            services.make_buckets(region, endpoint)

    def down(self, *, purge: bool = False) -> None:
        """End the cluster and remove all of it; kind keeps no images, so `purge` changes nothing."""
        del purge
        _kind("delete", "cluster", "--name", self.name)
        self.kubeconfig.unlink(missing_ok=True)

    def load_image(self, image: Image) -> None:
        """Make an image available to pods under its name."""
        _kind("load", "docker-image", image.name, "--name", self.name)

    def status(self) -> Status:
        """Return how the cluster is."""
        if not self._exists():
            return Status(name=self.name, provider="kind", running=False)
        ready = services.node_ready(self.kubeconfig)
        return Status(
            name=self.name,
            provider="kind",
            running=True,
            node_ready=ready,
            kubeconfig=self.kubeconfig,
            s3=_endpoints(),
        )

    def _exists(self) -> bool:
        return self.name in _kind("get", "clusters").split()

    def _create(self) -> None:
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        place = ["--name", self.name, "--kubeconfig", str(self.kubeconfig)]
        _kind(
            "create", "cluster", *place, "--image", NODE_IMAGE, "--wait=2m", "--config=-", stdin=json.dumps(_config())
        )
        for region in manifests.REGIONS:
            directory = str(_DATA / region)
            _run(["docker", "exec", f"{self.name}-control-plane", "install", "-d", "-o", "65535", directory])


def _config() -> dict[str, object]:
    ports = [
        {"containerPort": port, "hostPort": port, "listenAddress": "127.0.0.1"} for port in manifests.REGIONS.values()
    ]
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [{"role": "control-plane", "extraPortMappings": ports}],
    }


def _endpoints() -> dict[str, str]:
    return {region: f"http://127.0.0.1:{port}" for region, port in manifests.REGIONS.items()}


def _kind(*arguments: str, stdin: str = "") -> str:
    if shutil.which("kind") is None:
        raise DevError("no `kind` on PATH: install it (go install sigs.k8s.io/kind@latest), or set CLUSTER=native")
    return _run(["kind", *arguments], stdin=stdin)


def _run(command: Sequence[str], *, stdin: str = "") -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"`{' '.join(command[:3])}` failed: {done.stderr.strip()}")
    return done.stdout
