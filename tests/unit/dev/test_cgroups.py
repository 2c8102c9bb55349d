"""Control groups of a cluster under both versions, on directories shaped like the kernel's."""

from pathlib import Path

import pytest

from lakehouse_dev.cluster import cgroups


@pytest.fixture
def version_one(tmp_path: Path) -> Path:
    for controller in ("cpuset", "memory"):
        (tmp_path / controller).mkdir()
        (tmp_path / controller / "cgroup.procs").touch()
    return tmp_path


@pytest.fixture
def version_two(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids rdma\n")
    (tmp_path / "cgroup.procs").touch()
    return tmp_path


def test_every_controller_of_version_one_gets_the_groups(version_one: Path) -> None:
    cgroups.create("lakehouse-x", version_one)

    assert cgroups.existing("lakehouse-x", version_one) == [
        version_one / "cpuset" / "lakehouse-x",
        version_one / "memory" / "lakehouse-x",
    ]
    assert (version_one / "memory" / "lakehouse-x" / "pods").is_dir()


def test_all_groups_are_removed_however_deep(version_one: Path) -> None:
    cgroups.create("lakehouse-x", version_one)
    (version_one / "memory" / "lakehouse-x" / "pods" / "kubepods" / "pod1").mkdir(parents=True)

    cgroups.remove("lakehouse-x", version_one)

    assert cgroups.existing("lakehouse-x", version_one) == []


def test_groups_of_other_clusters_stay(version_one: Path) -> None:
    cgroups.create("lakehouse-x", version_one)
    cgroups.create("lakehouse-y", version_one)

    cgroups.remove("lakehouse-x", version_one)

    assert cgroups.existing("lakehouse-y", version_one)


def test_version_two_has_one_hierarchy_that_hands_down_the_controllers_it_has(version_two: Path) -> None:
    (version_two / "lakehouse-x").mkdir()
    (version_two / "lakehouse-x" / "cgroup.controllers").write_text("cpu memory pids\n")

    cgroups.create("lakehouse-x", version_two)

    assert (version_two / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert (version_two / "lakehouse-x" / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    assert (version_two / "lakehouse-x" / "node").is_dir()
