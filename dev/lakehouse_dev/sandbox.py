"""Running a program inside an image without a container engine: its files as a read-only root, scratch on tmpfs.

Close to what a pod gives it: no root, nothing writable but the scratch directories. The network is the machine's.
"""

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse_dev import paths
from lakehouse_dev.image_store import Image
from lakehouse_dev.locks import exclusive
from lakehouse_dev.progress import say

SHARED = ("/etc/hosts", "/etc/resolv.conf")
"""Files of this machine that a container engine would write into the root."""
SPARK_USER, SPARK_SCRATCH = 185, ("/tmp", "/opt/spark/work-dir", "/var/data")
OPERATOR_USER, OPERATOR_SCRATCH = 65532, ("/tmp",)


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The unpacked files of an image, and directories of this machine to show inside it, read-only."""

    root: Path
    user: int = SPARK_USER
    scratch: Sequence[str] = SPARK_SCRATCH
    mounts: Mapping[str, Path] = field(default_factory=dict)
    """Place inside the sandbox → directory on this machine."""

    def command(self, arguments: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """Return the command line that runs `arguments` inside."""
        variables = [f"{key}={value}" for key, value in environment.items()]
        inside = [
            "chroot",
            f"--userspec={self.user}:{self.user}",
            str(self.root),
            "env",
            "--ignore-environment",
            *variables,
        ]
        return [
            "unshare",
            "--mount",
            "--fork",
            "--kill-child",
            "sh",
            "-euc",
            self._mounting(),
            "sh",
            *inside,
            *arguments,
        ]

    def _mounting(self) -> str:
        root = shlex.quote(str(self.root))
        shared = {place: Path(place) for place in SHARED}
        binds = [f"mount --bind {path} {root}{place}" for place, path in {**shared, **self.mounts}.items()]
        scratch = [f"mount -t tmpfs -o mode=1777 tmpfs {root}{place}" for place in self.scratch]
        lines = [
            f"mount --bind {root} {root}",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            *binds,
            *scratch,
            f"mount -o remount,bind,ro {root}",
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
    """Return a sandbox of an image, unpacked if it is not yet."""
    target = paths.cache_file("sandboxes", image.name.replace("/", "_").replace(":", "_"))
    with exclusive(target.with_suffix(".lock"), what=f"sandbox {image.name}"):
        if not target.exists():
            say(f"sandbox: unpacking {image.name} ({image.size() / 1e6:.0f} MB, about 10 s)")
            _unpack(image, target)
    given = dict(mounts or {})
    for place in given:
        (target / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
    return Sandbox(root=target, user=user, scratch=scratch, mounts=given)


def _unpack(image: Image, target: Path) -> None:
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for layer in image.blobs()[2:]:
        blob = image.blob_path(layer["digest"])
        subprocess.run(["tar", "--extract", "--directory", str(unfinished), "--file", str(blob)], check=True)
    for place in SHARED:
        (unfinished / place.lstrip("/")).touch()
    unfinished.rename(target)
