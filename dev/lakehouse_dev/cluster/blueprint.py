"""A node before it runs: its certificates, its configuration, and the list of programs its first process starts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lakehouse_dev import components
from lakehouse_dev.certificates import Authority
from lakehouse_dev.cluster import programs
from lakehouse_dev.cluster.network import Link
from lakehouse_dev.cluster.places import Places
from lakehouse_dev.cluster.programs import NodeFiles
from lakehouse_dev.components import Layout

API_PORT, ETCD_PORT, ETCD_PEER_PORT = 6443, 2379, 2380


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """Everything that is decided before a node starts."""

    layout: Layout
    files: NodeFiles

    @classmethod
    def draw(cls, places: Places, link: Link, *, kubernetes: Path, pause_image: str) -> Self:
        """Make certificates and kubeconfigs for a node at a link's address."""
        authority = Authority.create(places.run / "pki")
        layout = _layout(places, link, authority, kubernetes)
        serving = authority.server("kubelet-server", names=(places.node, link.node_address))
        kubelet = authority.client("kubelet", user=f"system:node:{places.node}", group="system:nodes")
        proxy = authority.client("kube-proxy", user="system:kube-proxy")
        files = NodeFiles(
            name=places.node,
            address=link.node_address,
            programs=kubernetes,
            run=places.run,
            containerd_root=places.containerd,
            cgroup=places.cgroup,
            authority=authority.path,
            serving_certificate=serving.certificate,
            serving_key=serving.key,
            kubelet_kubeconfig=layout.kubeconfig("kubelet", kubelet),
            proxy_kubeconfig=layout.kubeconfig("kube-proxy", proxy),
            sandbox_image=pause_image,
        )
        return cls(layout=layout, files=files)

    @property
    def connected(self) -> Path:
        """Return the file whose presence says that the node has its network."""
        return self.files.run / "connected"

    @property
    def store_ready(self) -> Path:
        """Return the file whose presence says that containerd may take over the image store."""
        return self.files.run / "store-ready"

    def programs(self) -> list[dict[str, Any]]:
        """Return the node's programs: the control plane in its own order, beside it containerd and what needs it."""
        layout, files = self.layout, self.files
        api, etcd = f"port:{layout.api_port}", f"port:{layout.etcd_port}"
        containerd = programs.containerd(files.run / "containerd.toml")
        return [
            _program("etcd", components.etcd(layout), str(self.connected)),
            _program("kube-apiserver", components.apiserver(layout), etcd),
            _program("kube-controller-manager", components.controller_manager(layout), api),
            _program("kube-scheduler", components.scheduler(layout), api),
            _program("containerd", containerd, str(self.store_ready)),
            _program("kubelet", programs.kubelet(files), api, programs.CONTAINERD_SOCKET, str(self.store_ready)),
            _program("kube-proxy", programs.kube_proxy(files), api),
        ]


def _layout(places: Places, link: Link, authority: Authority, kubernetes: Path) -> Layout:
    return Layout(
        programs=kubernetes,
        directory=places.run,
        identity=components.create_identity(authority, addresses=(link.node_address,)),
        etcd_port=ETCD_PORT,
        etcd_peer_port=ETCD_PEER_PORT,
        api_port=API_PORT,
        bind_address="0.0.0.0",
        advertise_address=link.node_address,
    )


def _program(name: str, command: list[str], *needs: str) -> dict[str, Any]:
    return {"name": name, "command": command, "needs": list(needs)}
