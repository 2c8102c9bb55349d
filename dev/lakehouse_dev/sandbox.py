"""Running a program inside an image without a container engine: its layers as a read-only root, scratch on tmpfs.

Close to what a pod gives it: no root, nothing writable but the scratch directories. The network is the machine's.
Everything is mounted in a namespace that ends with the program, so nothing stays behind.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse_dev import paths
from lakehouse_dev.image_store import Descriptor, Image
from lakehouse_dev.locks import exclusive
from lakehouse_dev.progress import say

SHARED = ("/etc/hosts", "/etc/resolv.conf")
"""Files of this machine that a container engine would write into the root."""
SPARK_USER, SPARK_SCRATCH = 185, ("/tmp", "/opt/spark/work-dir", "/var/data")
OPERATOR_USER, OPERATOR_SCRATCH = 65532, ("/tmp",)
_WORTH_SAYING = 50e6
_DIGEST = 16  # hexadecimal digits that tell layers apart, few because a mount's options have a page of room


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The unpacked layers of an image, lowest first, and what of this machine is shown inside, read-only."""

    layers: Sequence[Path]
    user: int = SPARK_USER
    scratch: Sequence[str] = SPARK_SCRATCH
    mounts: Mapping[str, Path] = field(default_factory=dict)
    """Place inside the sandbox → file or directory on this machine."""

    def command(self, arguments: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """Return the command line that runs `arguments` inside."""
        variables = [f"{key}={value}" for key, value in environment.items()]
        inside = ["chroot", f"--userspec={self.user}:{self.user}", str(_root()), "env", "--ignore-environment"]
        shell = ["sh", "-euc", self._mounting(), "sh", *inside, *variables, *arguments]
        return ["unshare", "--mount", "--fork", "--kill-child", *shell]

    def _mounting(self) -> str:
        root = _root()
        lower = ":".join(str(layer) for layer in reversed(self.layers))
        lines = [
            f"mount -t overlay overlay -o ro,lowerdir={lower} {root}",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            *(f"mount --bind {path} {root}{place}" for place, path in self.mounts.items()),
            *(f"mount -t tmpfs -o mode=1777 tmpfs {root}{place}" for place in self.scratch),
            'exec "$@"',
        ]
        return "\n".join(lines)


def sandbox(
    image: Image,
    *,
    mounts: Mapping[str, Path] | None = None,
    user: int = SPARK_USER,
    scratch: Sequence[str] = SPARK_SCRATCH,
) -> Sandbox:
    """Return a sandbox of an image; layers are unpacked once, whatever images share them."""
    shown = {**{place: Path(place) for place in SHARED}, **(mounts or {})}
    with exclusive(_root().with_suffix(".lock"), what="sandboxes"):
        _forget_what_the_cache_forgot(image)
        layers = [_mount_points(shown), *(_unpacked(image, layer) for layer in image.blobs()[2:])]
    return Sandbox(layers=layers, user=user, scratch=scratch, mounts=shown)


def _root() -> Path:
    """Return the directory that every sandbox has as its root, each in a mount namespace of its own."""
    directory = paths.cache_file("sandboxes", "root")
    directory.mkdir(exist_ok=True)
    return directory


def _mount_points(shown: Mapping[str, Path]) -> Path:
    """Return a lowest layer that holds a place for everything to be mounted."""
    layer = paths.cache_file("sandboxes", "mount-points")
    for place, path in {**shown, "/proc": Path("/proc"), "/dev": Path("/dev")}.items():
        target = layer / place.lstrip("/")
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
    return layer


def _forget_what_the_cache_forgot(image: Image) -> None:
    known = {blob.name[:_DIGEST] for blob in (image.layout / "blobs" / "sha256").iterdir()}
    for layer in _root().parent.iterdir():
        if len(layer.name) == _DIGEST and layer.name not in known:
            shutil.rmtree(layer)


def _unpacked(image: Image, layer: Descriptor) -> Path:
    digest = layer["digest"]
    target = paths.cache_file("sandboxes", digest.partition(":")[2][:_DIGEST])
    if not target.exists():
        if layer["size"] > _WORTH_SAYING:
            say(f"sandbox: unpacking a layer of {image.name} ({layer['size'] / 1e6:.0f} MB, seconds)")
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".layer-") as scratch:
            fresh = Path(scratch) / "layer"
            fresh.mkdir()
            subprocess.run(["tar", "-x", "-C", str(fresh), "-f", str(image.blob_path(digest))], check=True)
            shutil.move(fresh, target)
    return target
