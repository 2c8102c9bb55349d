"""Where one native cluster keeps what; all of it below `<cache>/clusters/<name>`."""

from dataclasses import dataclass
from pathlib import Path

from lakehouse_dev import paths


@dataclass(frozen=True, kw_only=True)
class Places:
    """Directories of one cluster: `run` dies with it, `containerd` keeps its images for the next one."""

    name: str

    @property
    def root(self) -> Path:
        """Return the cluster's directory."""
        return paths.cache_directory() / "clusters" / self.name

    @property
    def run(self) -> Path:
        """Return the directory of everything that dies with the cluster."""
        return self.root / "run"

    @property
    def containerd(self) -> Path:
        """Return containerd's root: image layers and their metadata."""
        return self.root / "containerd"

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def logs(self) -> Path:
        """Return the directory of the node's logs."""
        return self.run / "logs"

    @property
    def state(self) -> Path:
        """Return the file that names the node's processes and network."""
        return self.run / "node.json"

    @property
    def lock(self) -> Path:
        """Return the lock that `up` and `down` hold."""
        return paths.cache_file("locks", f"cluster-{self.name}")

    @property
    def cgroup(self) -> str:
        """Return the name of the cluster's control group, below every hierarchy's root."""
        return f"lakehouse-{self.name}"

    @property
    def node(self) -> str:
        """Return the name of the cluster's only node."""
        return f"{self.name}-node"
