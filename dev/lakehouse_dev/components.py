"""Command lines of the Kubernetes control plane: pure functions of where its files and ports are.

The same lines serve the bare control plane of the tests and the node of the native cluster.
"""

from dataclasses import dataclass
from pathlib import Path

from lakehouse_dev.certificates import Authority, KeyPair, signing_keys
from lakehouse_dev.kubeconfig import Access

SERVICE_NETWORK = "10.96.0.0/16"
KUBERNETES_SERVICE_ADDRESS = "10.96.0.1"
POD_NETWORK = "10.244.0.0/16"
ISSUER = "https://kubernetes.default.svc"
ADMIN_GROUP = "system:masters"
# One instance that serves nothing itself, with no throttle of its own: starting it costs hundreds of calls.
_LONE_CLIENT = (
    "--leader-elect=false",
    "--secure-port=0",
    "--profiling=false",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
)
_SERVER_NAMES = (
    "localhost",
    "127.0.0.1",
    KUBERNETES_SERVICE_ADDRESS,
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Everything that proves who is who in one control plane."""

    authority: Path
    server: KeyPair
    admin: KeyPair
    kubelet_client: KeyPair
    controller_manager: KeyPair
    scheduler: KeyPair
    token_public: Path
    token_private: Path


def create_identity(authority: Authority, *, addresses: tuple[str, ...] = ()) -> Identity:
    """Make all certificates of a control plane that is reached at loopback and at `addresses`."""
    public, private = signing_keys(authority.directory, "service-accounts")
    return Identity(
        authority=authority.path,
        server=authority.server("kube-apiserver", names=(*_SERVER_NAMES, *addresses)),
        admin=authority.client("admin", user="admin", group=ADMIN_GROUP),
        kubelet_client=authority.client("apiserver-kubelet", user="apiserver", group=ADMIN_GROUP),
        controller_manager=authority.client("controller-manager", user="system:kube-controller-manager"),
        scheduler=authority.client("scheduler", user="system:kube-scheduler"),
        token_public=public,
        token_private=private,
    )


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where one control plane lives: its programs, files and ports."""

    programs: Path
    directory: Path
    identity: Identity
    etcd_port: int
    etcd_peer_port: int
    api_port: int
    bind_address: str = "127.0.0.1"
    advertise_address: str = "127.0.0.1"

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return f"https://{self.advertise_address}:{self.api_port}"

    def kubeconfig(self, name: str, user: KeyPair) -> Path:
        """Write a kubeconfig for one user into the directory."""
        access = Access(server=self.server, authority=self.identity.authority, user=user)
        return access.write(self.directory / f"{name}.kubeconfig")


def etcd(layout: Layout) -> list[str]:
    """Return etcd's command line. Not synced to disk: a dev cluster does not outlive its machine."""
    client, peer = (f"http://127.0.0.1:{port}" for port in (layout.etcd_port, layout.etcd_peer_port))
    return [
        str(layout.programs / "etcd"),
        f"--data-dir={layout.directory / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(layout: Layout) -> list[str]:
    """Return kube-apiserver's command line: default admission, RBAC, service account tokens."""
    identity = layout.identity
    # Endpoints may not hold a loopback address, so a control plane on loopback publishes none.
    reconciler = "none" if layout.advertise_address.startswith("127.") else "lease"
    return [
        str(layout.programs / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{layout.etcd_port}",
        f"--bind-address={layout.bind_address}",
        f"--advertise-address={layout.advertise_address}",
        f"--secure-port={layout.api_port}",
        f"--endpoint-reconciler-type={reconciler}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--client-ca-file={identity.authority}",
        f"--tls-cert-file={identity.server.certificate}",
        f"--tls-private-key-file={identity.server.key}",
        f"--kubelet-client-certificate={identity.kubelet_client.certificate}",
        f"--kubelet-client-key={identity.kubelet_client.key}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={identity.token_public}",
        f"--service-account-signing-key-file={identity.token_private}",
        "--profiling=false",
    ]


def controller_manager(layout: Layout) -> list[str]:
    """Return kube-controller-manager's command line: all default controllers, no leader election, no port."""
    identity = layout.identity
    return [
        str(layout.programs / "kube-controller-manager"),
        f"--kubeconfig={layout.kubeconfig('controller-manager', identity.controller_manager)}",
        f"--root-ca-file={identity.authority}",
        f"--service-account-private-key-file={identity.token_private}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        f"--cluster-cidr={POD_NETWORK}",
        "--allocate-node-cidrs=true",
        "--use-service-account-credentials=true",
        *_LONE_CLIENT,
    ]


def scheduler(layout: Layout) -> list[str]:
    """Return kube-scheduler's command line: no leader election, no port."""
    return [
        str(layout.programs / "kube-scheduler"),
        f"--kubeconfig={layout.kubeconfig('scheduler', layout.identity.scheduler)}",
        *_LONE_CLIENT,
    ]
