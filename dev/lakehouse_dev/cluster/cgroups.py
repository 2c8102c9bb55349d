"""The control group of one cluster, in every hierarchy of cgroup v1 or in the one of v2.

`<root>/<name>/node` holds the node's programs, `<root>/<name>/pods` is where the kubelet makes those of pods.
"""

from collections.abc import Iterator
from pathlib import Path

from lakehouse_dev.errors import DevError
from lakehouse_dev.waiting import wait_until

MOUNT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids", "hugetlb")


def hierarchies(mount: Path = MOUNT) -> list[Path]:
    """Return the root of every hierarchy: the one of v2, or one for each controller of v1."""
    if (mount / "cgroup.controllers").exists():
        return [mount]
    return sorted(path for path in mount.iterdir() if (path / "cgroup.procs").exists())


def create(name: str, mount: Path = MOUNT) -> None:
    """Make the control groups of a cluster."""
    for root in hierarchies(mount):
        for path in (root / name, root / name / "node", root / name / "pods"):
            path.mkdir(exist_ok=True)
            _inherit_cpus(path)
        if root == mount:
            _delegate(root)
            _delegate(root / name)


def enter(name: str, pid: int, mount: Path = MOUNT) -> None:
    """Move a process, and so all it will start, into the cluster's `node` group."""
    for root in hierarchies(mount):
        (root / name / "node" / "cgroup.procs").write_text(str(pid))


def remove(name: str, mount: Path = MOUNT) -> None:
    """Remove all control groups of a cluster whose processes have ended."""
    wait_until(lambda: _remove_all(name, mount), what=f"control groups of {name} removed", timeout=10)


def existing(name: str, mount: Path = MOUNT) -> list[Path]:
    """Return the cluster's control groups that exist."""
    return [root / name for root in hierarchies(mount) if (root / name).exists()]


def _remove_all(name: str, mount: Path) -> bool:
    for top in existing(name, mount):
        for path in _children_first(top):
            _try_remove(path)
    return not existing(name, mount)


def _children_first(path: Path) -> Iterator[Path]:
    for child in path.iterdir():
        if child.is_dir():
            yield from _children_first(child)
    yield path


def _try_remove(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:  # still holds a process that is about to end; tried again
        return


def _inherit_cpus(path: Path) -> None:
    """Under v1 a new cpuset is empty, and so takes no process before it is told its CPUs."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        own = path / file
        if own.exists() and not own.read_text().strip():
            own.write_text((path.parent / file).read_text())


def _delegate(path: Path) -> None:
    available = (path / "cgroup.controllers").read_text().split()
    wanted = " ".join(f"+{each}" for each in _CONTROLLERS if each in available)
    try:
        (path / "cgroup.subtree_control").write_text(wanted)
    except OSError as error:
        raise DevError(
            f"cannot delegate control groups below {path} ({error}): run as root, outside a container"
        ) from error
