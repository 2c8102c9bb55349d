"""The root file systems of our images: Debian packages and nothing else, without documentation and translations."""

import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lakehouse_dev import packages, paths
from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image, docker_answers
from lakehouse_dev.progress import say

SUITE = "bookworm"
DOCKERFILES = paths.REPOSITORY / "dev" / "images" / "base"
_SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
_EXCLUDED = ("man", "doc", "locale", "info", "lintian", "bug", "fonts")
# Java's and dpkg's scripts want this directory even if it stays empty.
_BEFORE = 'mkdir -p "$1/usr/share/man/man1"'
# Old encodings, and what only a compiler, a heap above 32 GB or a running Debian wants.
_AFTER = (
    'rm -f "$1"/usr/lib/jvm/*/lib/ct.sym "$1"/usr/lib/jvm/*/lib/server/classes_nocoops.jsa',
    'rm -rf "$1"/usr/lib/*-linux-gnu/gconv "$1"/var/lib/dpkg/info/*.md5sums "$1"/var/log/* "$1"/var/cache/debconf/*',
    'rm -rf "$1"/usr/lib/python3*/test "$1"/usr/lib/python3*/idlelib "$1"/usr/lib/python3*/lib2to3',
)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A root file system by the packages it holds."""

    name: str
    packages: tuple[str, ...]
    usual_duration: str


SPARK = Base(
    name="lakehouse-spark-base",
    packages=("python3-minimal", "python3", "openjdk-17-jre-headless", "tini", "ca-certificates"),
    usual_duration="about 90 s, downloads 130 MB",
)
PYTHON = Base(
    name="lakehouse-python-base",
    packages=("python3-minimal", "python3", "tini", "ca-certificates"),
    usual_duration="about 45 s, downloads 40 MB",
)


def base_image(base: Base = SPARK) -> Image:
    """Return the image of a base, built if the cache lacks it."""
    arguments = {"SUITE": SUITE, "PACKAGES": " ".join(base.packages)}
    if docker_answers():
        dockerfile = DOCKERFILES / "Dockerfile.docker"
        return build_image(
            base.name, dockerfile=dockerfile, context={}, build_args=arguments, usual_duration=base.usual_duration
        )
    context = {"rootfs.tar": _root_file_system(base)}
    return build_image(base.name, dockerfile=DOCKERFILES / "Dockerfile", context=context)


def _root_file_system(base: Base) -> Path:
    target = paths.cache_file("images", "roots", f"{base.name}-{_key(base)}.tar")
    if target.exists():
        return target
    packages.require(*packages.IMAGES)
    say(f"{base.name}: making a Debian {SUITE} from the machine's package sources ({base.usual_duration})")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".root-") as scratch:
        fresh = Path(scratch) / "rootfs.tar"
        _bootstrap(bootstrap_command(base, fresh))
        fresh.replace(target)
    return target


def bootstrap_command(base: Base, target: Path) -> list[str]:
    """Return the mmdebstrap command line that writes a base's files to a tar."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=essential",
        "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr",  # without it usrmerge comes, and Perl with it
        f"--include={','.join(base.packages)}",
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _EXCLUDED),
        f"--essential-hook={_BEFORE}",
        *(f"--customize-hook={hook}" for hook in _AFTER),
        SUITE,
        str(target),
        str(_sources()),
    ]


def _key(base: Base) -> str:
    command = bootstrap_command(base, Path("rootfs.tar"))
    return hashlib.sha256("\0".join(command).encode()).hexdigest()[:12]


def _sources() -> Path:
    for file in _SOURCES:
        if file.exists():
            return file
    raise DevError(f"no Debian package sources in {' or '.join(map(str, _SOURCES))}: build with Docker instead")


def _bootstrap(command: list[str]) -> None:
    done = subprocess.run(["nice", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise DevError(f"mmdebstrap failed (exit {done.returncode}):\n{done.stdout[-4000:]}")
