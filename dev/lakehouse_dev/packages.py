"""Debian packages that the development tools need, installed by apt-get only when missing."""

import os
import shutil
import subprocess
from collections.abc import Iterable

from lakehouse_dev.errors import DevError
from lakehouse_dev.progress import say

NODE = ("containerd", "runc", "containernetworking-plugins", "iptables", "conntrack", "iproute2", "util-linux")
"""What a node of the native cluster runs."""

IMAGES = ("buildah", "mmdebstrap")
"""What builds images where no Docker engine answers."""


def require(*names: str) -> None:
    """Install the packages of `names` that are missing; raise DevError when that is not possible."""
    absent = missing(names)
    if not absent:
        return
    if shutil.which("apt-get") is None:
        raise DevError(f"these Debian packages are needed and this is no Debian: {' '.join(absent)}")
    if os.geteuid() != 0:
        raise DevError(f"run as root once: apt-get install --no-install-recommends {' '.join(absent)}")
    say(f"packages: installing {' '.join(absent)} (about 10 s)")
    _apt_get("update")
    _apt_get("install", "--yes", "--no-install-recommends", *absent)


def missing(names: Iterable[str]) -> list[str]:
    """Return those packages that are not installed."""
    return [name for name in names if not _installed(name)]


def _installed(name: str) -> bool:
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return done.stdout == "installed"


def _apt_get(*arguments: str) -> None:
    command = ["apt-get", "-qq", *arguments]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise DevError(f"`{' '.join(command)}` failed (exit {done.returncode}):\n{done.stdout[-2000:]}")
