"""Configuration and command lines of the programs of a node: pure functions that return text and lists."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse_dev.components import POD_NETWORK

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
CNI_PROGRAMS = "/usr/lib/cni"
DNS_ADDRESS = "10.96.0.10"
DOMAIN = "cluster.local"
MAX_PODS = 250
_KUBERNETES_PLUGIN = "io.containerd.grpc.v1.cri"
_UNUSED_SNAPSHOTTERS = ("aufs", "btrfs", "devmapper", "zfs")


@dataclass(frozen=True, kw_only=True)
class NodeFiles:
    """What the programs of a node are told: names, addresses and files."""

    name: str
    address: str
    programs: Path
    run: Path
    containerd_root: Path
    cgroup: str
    authority: Path
    serving_certificate: Path
    serving_key: Path
    kubelet_kubeconfig: Path
    proxy_kubeconfig: Path
    sandbox_image: str


def store_config(root: Path, state: Path, *, without: tuple[str, ...] = (_KUBERNETES_PLUGIN,)) -> str:
    """Return the TOML of a containerd that, without its Kubernetes plugin, only serves to put its store in order."""
    plugins = [*(f"io.containerd.snapshotter.v1.{name}" for name in _UNUSED_SNAPSHOTTERS), *without]
    return f"""\
version = 2
root = "{root}"
state = "{state}"
disabled_plugins = {json.dumps(plugins)}

[grpc]
  address = "{state / "containerd.sock"}"
"""


def containerd_config(files: NodeFiles) -> str:
    """Return the TOML of the node's containerd."""
    state = Path(CONTAINERD_SOCKET).parent
    return f"""\
{store_config(files.containerd_root, state, without=())}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{files.sandbox_image}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{CNI_PROGRAMS}"
  conf_dir = "{files.run / "cni"}"
"""


def cni_config() -> dict[str, Any]:
    """Return the pod network: routed point-to-point links, which need no bridge and no bridge netfilter module."""
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": POD_NETWORK}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "0.4.0",
        "name": "lakehouse",
        "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": addresses},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet_config(files: NodeFiles) -> dict[str, Any]:
    """Return the kubelet's configuration: default security, no reservations, evictions only when nearly full."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(files.authority)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(files.serving_certificate),
        "tlsPrivateKeyFile": str(files.serving_key),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{files.cgroup}/pods",
        "enforceNodeAllocatable": [],
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": str(files.run / "resolv.conf"),
        "failSwapOn": False,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "maxPods": MAX_PODS,
        "registryPullQPS": 0,
        "serializeImagePulls": False,
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
    }


def proxy_config(files: NodeFiles) -> dict[str, Any]:
    """Return kube-proxy's configuration; connection tracking limits belong to the machine, so it leaves them alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(files.proxy_kubeconfig)},
        "clusterCIDR": POD_NETWORK,
        "hostnameOverride": files.name,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "metricsBindAddress": "127.0.0.1:10249",
        "healthzBindAddress": "127.0.0.1:10256",
    }


def containerd(config: Path) -> list[str]:
    """Return containerd's command line."""
    return ["containerd", "--config", str(config), "--log-level", "warn"]


def kubelet(files: NodeFiles) -> list[str]:
    """Return the kubelet's command line."""
    return [
        str(files.programs / "kubelet"),
        f"--config={files.run / 'kubelet.json'}",
        f"--kubeconfig={files.kubelet_kubeconfig}",
        f"--hostname-override={files.name}",
        f"--node-ip={files.address}",
    ]


def kube_proxy(files: NodeFiles) -> list[str]:
    """Return kube-proxy's command line."""
    return [str(files.programs / "kube-proxy"), f"--config={files.run / 'kube-proxy.json'}"]


def hosts(files: NodeFiles) -> str:
    """Return the node's /etc/hosts, in which its own name resolves."""
    return f"127.0.0.1 localhost\n{files.address} {files.name}\n"


def write_configuration(files: NodeFiles) -> None:
    """Write every configuration file of a node."""
    (files.run / "cni").mkdir(parents=True)
    texts = {
        "containerd.toml": containerd_config(files),
        "cni/10-lakehouse.conflist": json.dumps(cni_config(), indent=1),
        "kubelet.json": json.dumps(kubelet_config(files), indent=1),
        "kube-proxy.json": json.dumps(proxy_config(files), indent=1),
        "hosts": hosts(files),
        "resolv.conf": "",
    }
    for name, text in texts.items():
        (files.run / name).write_text(text)
