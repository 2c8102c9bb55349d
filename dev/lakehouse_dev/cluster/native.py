"""A cluster of one node without Docker: Kubernetes from Go modules, containerd from Debian, in own namespaces."""

import json
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from lakehouse_dev import packages, service_images, tools
from lakehouse_dev.api import Api
from lakehouse_dev.cluster import cgroups, manifests, network, node, programs, services
from lakehouse_dev.cluster.blueprint import Blueprint
from lakehouse_dev.cluster.containers import Store, store_alone
from lakehouse_dev.cluster.node import Node
from lakehouse_dev.cluster.places import Places
from lakehouse_dev.cluster.provider import Status
from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image
from lakehouse_dev.locks import exclusive
from lakehouse_dev.progress import Timings, say
from lakehouse_dev.waiting import wait_until

READY_TIMEOUT_SECONDS = 120
_STORE_UID = 65535


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What is built before a cluster starts: the Kubernetes programs and the images of its services."""

    kubernetes: Path
    pause: Image
    coredns: Image
    seaweedfs: Image

    @classmethod
    def build(cls) -> "_Parts":
        return cls(
            kubernetes=tools.directory(tools.KUBERNETES),
            pause=service_images.pause(),
            coredns=service_images.coredns(),
            seaweedfs=service_images.seaweedfs(),
        )

    def images(self) -> list[Image]:
        return [self.pause, self.coredns, self.seaweedfs]


@dataclass(frozen=True, kw_only=True)
class NativeCluster:
    """The provider `native`."""

    name: str

    @property
    def kubeconfig(self) -> Path:
        """Return where the administrator's kubeconfig is while the cluster runs."""
        return self._places.kubeconfig

    def up(self) -> None:
        """Start the cluster unless it runs, and return when its node, DNS and S3 are ready."""
        _require_linux_root()
        with exclusive(self._places.lock, what=f"cluster {self.name}"):
            timings = Timings()
            with timings.step("packages, programs and images"):
                packages.require(*packages.NODE)
                parts = _Parts.build()
            if not (Node.read(self._places) and self.kubeconfig.exists()):
                self._start(parts, timings)
            self._serve(parts, timings)
            say(f"cluster {self.name}: ready in {timings.total():.1f} s")

    def down(self, *, purge: bool = False) -> None:
        """End the cluster and remove all of it; with `purge` also the images kept for the next one."""
        _require_linux_root()
        with exclusive(self._places.lock, what=f"cluster {self.name}"):
            node.clear(self._places)
            if purge:
                shutil.rmtree(self._places.root, ignore_errors=True)
            say(f"cluster {self.name}: down")

    def load_image(self, image: Image) -> None:
        """Make an image available to pods under its name."""
        if Store(inside=self._running().inside()).load(image):
            say(f"cluster {self.name}: loaded {image.name}")

    def status(self) -> Status:
        """Return how the cluster is."""
        running = Node.read(self._places)
        if running is None or not self.kubeconfig.exists():
            return Status(name=self.name, provider="native", running=False)
        return Status(
            name=self.name,
            provider="native",
            running=True,
            node_ready=services.node_ready(self.kubeconfig),
            server=json.loads(self.kubeconfig.read_bytes())["clusters"][0]["cluster"]["server"],
            kubeconfig=self.kubeconfig,
            s3=_endpoints(running),
            programs=running.programs(),
            images=tuple(Store(inside=running.inside()).images()),
        )

    @property
    def _places(self) -> Places:
        return Places(name=self.name)

    def _running(self) -> Node:
        running = Node.read(self._places)
        if running is None:
            raise DevError(f"cluster {self.name} does not run: start it with `make cluster-up`")
        return running

    def _start(self, parts: "_Parts", timings: Timings) -> None:
        places = self._places
        with timings.step("node created"):
            node.clear(places)
            blueprint = _create(places, parts)
        with timings.step("images in the node"):
            _fill_store(places, blueprint, parts.images())
        with timings.step("API server ready"):
            _wait_for_api(blueprint)
            blueprint.layout.kubeconfig("admin", blueprint.layout.identity.admin).replace(places.kubeconfig)

    def _serve(self, parts: "_Parts", timings: Timings) -> None:
        places = self._places
        with timings.step("services applied"):
            services.apply(self.kubeconfig, manifests.dns(parts.coredns.name))
            services.apply(self.kubeconfig, manifests.stores(parts.seaweedfs.name, places.run / "s3"))
        with timings.step("node ready"):
            services.wait_for_node(self.kubeconfig, places.node)
        with timings.step("DNS ready"):
            services.wait_for_dns(self.kubeconfig)
        with timings.step("S3 ready"):
            services.wait_for_stores(self.kubeconfig)
            for region, endpoint in _endpoints(self._running()).items():
                services.make_buckets(region, endpoint)


def _create(places: Places, parts: _Parts) -> Blueprint:
    places.logs.mkdir(parents=True)
    for region in manifests.REGIONS:
        data = places.run / "s3" / region
        data.mkdir(parents=True)
        os.chown(data, _STORE_UID, _STORE_UID)
    cgroups.create(places.cgroup)
    with exclusive(places.lock.with_name("network"), what="network"):
        link = network.free_link(places.name)
        blueprint = Blueprint.draw(places, link, kubernetes=parts.kubernetes, pause_image=parts.pause.name)
        programs.write_configuration(blueprint.files)
        node.start(places, link, programs=blueprint.programs(), hostname=places.node)
    blueprint.connected.touch()
    return blueprint


def _fill_store(places: Places, blueprint: Blueprint, images: list[Image]) -> None:
    """Clean the image store and fill it while the control plane starts, before containerd serves pods from it."""
    with store_alone(places.containerd, places.logs / "containerd-store.log") as store:
        removed = store.remove_containers()
        loaded = [image.name for image in images if store.load(image)]
    blueprint.store_ready.touch()
    say(f"  {len(loaded)} images loaded, {removed} containers of an earlier cluster removed")


def _wait_for_api(blueprint: Blueprint) -> None:
    layout = blueprint.layout
    api = Api.of(layout.server, layout.identity.authority, layout.identity.admin)
    for path in ("/readyz", "/api/v1/namespaces/kube-system", "/api/v1/namespaces/default"):
        wait_until(lambda: api.exists(path), what=f"API server answers {path}", timeout=READY_TIMEOUT_SECONDS)  # noqa: B023 - called before the loop goes on


def _endpoints(running: Node) -> dict[str, str]:
    address = running.link.node_address
    return {region: f"http://{address}:{port}" for region, port in manifests.REGIONS.items()}


def _require_linux_root() -> None:
    if platform.system() != "Linux" or os.geteuid() != 0:
        raise DevError(
            "the native cluster makes namespaces and mounts: run as root on Linux, or start Docker for CLUSTER=kind"
        )
