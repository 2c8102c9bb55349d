"""A cluster that has ended, in order or not, leaves nothing on the machine, and the next one starts from nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse_dev.cluster import cgroups, network
from lakehouse_dev.cluster.native import NativeCluster
from lakehouse_dev.cluster.node import Node
from lakehouse_dev.cluster.places import Places
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.cluster.services import kubectl
from lakehouse_dev.waiting import wait_until

pytestmark = pytest.mark.e2e

NAME = "leftovers"
PLACES = Places(name=NAME)


@pytest.fixture(scope="module")
def images_kept() -> Iterator[None]:
    yield
    NativeCluster(name=NAME).down(purge=True)


@pytest.fixture
def native(images_kept: None) -> Iterator[NativeCluster]:
    provider = NativeCluster(name=NAME)
    yield provider
    provider.down()


def mounts() -> set[str]:
    return {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}


def firewall() -> list[str]:
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [rule for rule in rules if not rule.startswith(("#", ":"))]


def devices() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def node(places: Places) -> Node:
    running = Node.read(places)
    assert running is not None
    return running


def processes_of_the_node() -> set[int]:
    groups = (group for top in cgroups.existing(PLACES.cgroup) for group in top.rglob("cgroup.procs"))
    return {int(pid) for group in groups for pid in group.read_text().split()}


def network_namespaces(processes: set[int]) -> set[int]:
    files = (Path(f"/proc/{pid}/ns/net") for pid in processes)
    return {file.stat().st_ino for file in files if file.exists()}


def namespaces_of_the_machine() -> set[int]:
    listing = subprocess.run(["lsns", "-t", "net", "-n", "-o", "NS"], capture_output=True, text=True, check=True)
    return {int(line) for line in listing.stdout.split()}


def test_nothing_is_left_after_down(native: NativeCluster) -> None:
    before = (mounts(), firewall())
    native.up()
    processes = processes_of_the_node()
    namespaces = network_namespaces(processes)
    assert len(namespaces) >= 4, "the node's own and one for each pod"
    assert network.device_name(NAME) in devices()

    native.down()

    assert (mounts(), firewall()) == before
    assert network.device_name(NAME) not in devices()
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]
    assert not namespaces & namespaces_of_the_machine()
    assert not cgroups.existing(PLACES.cgroup)
    assert not PLACES.run.exists()
    assert not native.status().running


def test_a_cluster_starts_anew_after_its_node_was_killed(native: NativeCluster) -> None:
    native.up()
    kubectl(native.kubeconfig, "create", "namespace", "of-the-first-life")
    os.kill(node(PLACES).first.pid, signal.SIGKILL)

    native.up()

    assert native.status().node_ready
    assert "of-the-first-life" not in kubectl(native.kubeconfig, "get", "namespaces", "--output=name")


def test_a_cluster_starts_anew_after_its_start_was_killed_half_way(native: NativeCluster) -> None:
    command = [sys.executable, "-m", "lakehouse_dev", "cluster", "--provider=native", f"--name={NAME}", "up"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as start:
        wait_until(lambda: Node.read(PLACES) is not None, what="the node's first process runs", timeout=60)
        start.kill()
    of_the_first_try = processes_of_the_node()

    native.up()

    assert native.status().node_ready
    assert not [pid for pid in of_the_first_try if Path(f"/proc/{pid}").exists()]


def test_a_cluster_ends_whole_even_if_its_state_file_is_lost(native: NativeCluster) -> None:
    native.up()
    processes = processes_of_the_node()
    PLACES.state.unlink()

    native.down()

    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]


def test_a_program_of_the_node_that_is_killed_is_started_again(cluster: Provider) -> None:
    places = Places(name=cluster.name)
    killed = node(places).programs()["kube-scheduler"]
    os.kill(int(killed), signal.SIGKILL)

    def is_back() -> bool:
        return node(places).programs().get("kube-scheduler", killed) != killed

    wait_until(is_back, what="kube-scheduler started again", timeout=30)
