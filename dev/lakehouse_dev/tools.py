"""The Go programs of the dev cluster, built from pinned modules into the cache.

A build lives in `<cache>/tools/<name>-<key>/`, where the key covers the module files, our sources, the flags and the
Go version: changing any of them builds anew, anything else costs one hash.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lakehouse_dev import paths
from lakehouse_dev.errors import DevError
from lakehouse_dev.locks import exclusive
from lakehouse_dev.progress import say

KUBERNETES_VERSION = "v1.34.4"
MODULES = paths.REPOSITORY / "dev" / "tools"
_VERSION_VARIABLES = {
    "k8s.io/component-base/version.gitVersion": KUBERNETES_VERSION,
    "k8s.io/component-base/version.gitMajor": "1",
    "k8s.io/component-base/version.gitMinor": "34",
    "k8s.io/client-go/pkg/version.gitVersion": KUBERNETES_VERSION,
}
_LINKER_FLAGS = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in _VERSION_VARIABLES.items())])


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One Go program: its package, the module it is built in, and the names it is called by."""

    name: str
    package: str
    module: Path = MODULES
    links: tuple[str, ...] = ()
    usual_duration: str

    def sources(self) -> list[Path]:
        """Return the files of ours that decide what is built."""
        local = self.module / self.package
        own = sorted(local.rglob("*.go")) if self.package.startswith("./") else []
        return [self.module / "go.mod", self.module / "go.sum", *own]

    def key(self, go_version: str) -> str:
        """Return a short hash of everything the build depends on."""
        digest = hashlib.sha256(f"{go_version}\n{self.package}\n{self.links}\n{_LINKER_FLAGS}\n".encode())
        for source in self.sources():
            digest.update(hashlib.sha256(source.read_bytes()).digest())
        return digest.hexdigest()[:12]

    def command(self, output: Path) -> list[str]:
        """Return the build command, to be run in the module."""
        return ["go", "build", "-trimpath", "-ldflags", _LINKER_FLAGS, "-o", str(output), self.package]


KUBERNETES = Tool(
    name="kubernetes",
    package="./kubernetes",
    links=(
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
        "kubectl",
    ),
    usual_duration="6 to 15 min on 2 cores",
)
COREDNS = Tool(name="coredns", package="./coredns", usual_duration="about 1 min after kubernetes, 5 min alone")
HELM = Tool(name="helm", package="helm.sh/helm/v3/cmd/helm", usual_duration="about 1 min after kubernetes, 5 min alone")
PAUSE = Tool(name="pause", package="./pause", usual_duration="seconds")
KWOK = Tool(
    name="kwok",
    package="sigs.k8s.io/kwok/cmd/kwok",
    module=MODULES / "kwok",
    usual_duration="about 4 min on 2 cores",
)
ALL = (KUBERNETES, COREDNS, HELM, PAUSE, KWOK)


def directory(tool: Tool) -> Path:
    """Return the directory with the tool's programs, building it first if the cache lacks it."""
    target = _target(tool)
    if target.exists():
        return target
    with exclusive(paths.cache_file("locks", f"tool-{tool.name}"), what=tool.name):
        if not target.exists():
            _build(tool, target)
    return target


def program(tool: Tool, name: str = "") -> Path:
    """Return the path of one program of a tool, built if need be; by default the one named like the tool."""
    return directory(tool) / (name or tool.name)


def kubectl() -> Path:
    """Return a kubectl: ours if it is built, else the machine's, and only without either build ours."""
    found = shutil.which("kubectl")
    if found and (shutil.which("go") is None or not _target(KUBERNETES).exists()):
        return Path(found)
    return program(KUBERNETES, "kubectl")


def _target(tool: Tool) -> Path:
    return paths.cache_file("tools", f"{tool.name}-{tool.key(_go_version())}")


def _build(tool: Tool, target: Path) -> None:
    say(f"{tool.name}: building from Go modules ({tool.usual_duration}, once; kept in {target})")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{tool.name}-") as scratch:
        fresh = Path(scratch) / "bin"
        fresh.mkdir()
        _run_go(tool.command(fresh / tool.name), cwd=tool.module)
        for link in tool.links:
            (fresh / link).symlink_to(tool.name)
        fresh.replace(target)
    say(f"{tool.name}: built")


def _run_go(command: Sequence[str], *, cwd: Path) -> None:
    done = subprocess.run(["nice", *command], cwd=cwd, env={**os.environ, "CGO_ENABLED": "0"}, check=False)
    if done.returncode:
        raise DevError(
            f"`{' '.join(command[:2])} {command[-1]}` failed in {cwd} (exit {done.returncode}); its output is above"
        )


@cache
def _go_version() -> str:
    if shutil.which("go") is None:
        raise DevError("no `go` on PATH: install Go 1.24 or later (the cluster's programs are built from Go modules)")
    done = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True, cwd=MODULES)
    return done.stdout.strip()
