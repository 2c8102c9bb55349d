"""The node's life as processes: one tree in namespaces of its own, started, entered and ended as one thing."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from lakehouse_dev import paths
from lakehouse_dev.cluster import cgroups, network
from lakehouse_dev.cluster.network import Link
from lakehouse_dev.cluster.places import Places
from lakehouse_dev.processes import Process, of_command, of_pid, spawn
from lakehouse_dev.waiting import wait_until

INIT = "lakehouse_dev.cluster.init"
# Directories that programs insist on; each is covered by one of the cluster inside the node's namespace.
COVERED = ("/var/lib/kubelet", "/var/lib/cni", "/var/log")


@dataclass(frozen=True, kw_only=True)
class Node:
    """A running node: the process outside that holds it, its first process, and its link to this machine."""

    outer: Process
    first: Process
    link: Link

    @classmethod
    def read(cls, places: Places) -> Self | None:
        """Return the node that the state file names, if it still runs."""
        try:
            document = json.loads(places.state.read_bytes())
        except FileNotFoundError:
            return None
        node = cls(outer=_process(document["outer"]), first=_process(document["first"]), link=Link(**document["link"]))
        return node if node.first.alive() else None

    def write(self, places: Places) -> None:
        """Write the state file."""
        fresh = places.state.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), indent=1, default=str))
        fresh.replace(places.state)

    def inside(self) -> list[str]:
        """Return the words that make a command line run inside the node."""
        return ["nsenter", f"--target={self.first.pid}", "--mount", "--net", "--pid", "--uts"]

    def programs(self) -> dict[str, str]:
        """Return the node's programs that run, each with its process id on this machine."""
        children = Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children").read_text().split()
        return {name: pid for pid in children if not (name := _program_name(pid)).startswith("containerd-shim")}


def start(places: Places, link: Link, *, programs: Sequence[dict[str, Any]], hostname: str) -> Node:
    """Start a node's first process in new namespaces and connect it to this machine."""
    binds = _cover(places)
    spec = _spec(places)
    document = {"hostname": hostname, "binds": binds, "logs": str(places.logs), "programs": list(programs)}
    spec.write_text(json.dumps(document, indent=1))
    namespaces = ["--mount", "--net", "--pid", "--uts", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
    command = ["unshare", *namespaces, sys.executable, "-m", INIT, str(spec)]
    source = str(paths.REPOSITORY / "dev")
    outer = spawn("node", command, log=places.logs / "node.log", env={"PYTHONPATH": source})
    node = Node(outer=outer, first=_first_process(outer), link=link)
    node.write(places)
    cgroups.enter(places.cgroup, node.first.pid)
    network.connect(link, node.first.pid)
    return node


def clear(places: Places) -> None:
    """Remove all that a node left, whether it ended in order, was killed, or never started whole."""
    _end(places)
    network.disconnect(places.name)
    cgroups.remove(places.cgroup)
    shutil.rmtree(places.run, ignore_errors=True)
    places.kubeconfig.unlink(missing_ok=True)


def _program_name(pid: str) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0].rpartition("/")[2]


def _end(places: Places) -> None:
    """End a node's processes, found by their command line so that no lost file can hide them.

    The first process takes all others, the mounts and the network devices with it; the one outside it collects it.
    """
    command = ["-m", INIT, str(_spec(places))]
    log = places.logs / "node.log"
    for first in of_command(lambda words: words[1:4] == command, log=log):
        first.kill()
    for outer in of_command(lambda words: words[0] == "unshare" and words[-4:-1] == command, log=log):
        outer.kill()


def _spec(places: Places) -> Path:
    return places.run / "spec.json"


def _cover(places: Places) -> dict[str, str]:
    binds = {str(places.run / "hosts"): "/etc/hosts"}
    for directory in COVERED:
        Path(directory).mkdir(parents=True, exist_ok=True)
        own = places.run / "covered" / directory.replace("/", "_")
        own.mkdir(parents=True)
        binds[str(own)] = directory
    return binds


def _first_process(outer: Process) -> Process:
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")

    def forked() -> bool:
        outer.require_alive()
        return bool(children.read_text().split())

    wait_until(forked, what="the node's first process started", timeout=10)
    return of_pid("node-init", int(children.read_text().split()[0]), log=outer.log)


def _process(document: dict[str, Any]) -> Process:
    return Process(**{**document, "log": Path(document["log"])})
