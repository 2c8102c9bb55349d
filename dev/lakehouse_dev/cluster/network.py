"""The network of a node: a namespace of its own, joined to this machine by one pair of virtual devices.

Addresses come from 198.18.0.0/15, which no real network uses. There is no route to the outside.
"""

import json
import subprocess
import zlib
from dataclasses import dataclass
from typing import Any

from lakehouse_dev.errors import DevError

_SUBNETS = 256


@dataclass(frozen=True, kw_only=True)
class Link:
    """One pair of devices by the number of its /30 network; `device` is this machine's end."""

    device: str
    number: int

    @property
    def host_address(self) -> str:
        """Return this machine's address."""
        return f"198.18.{self.number}.1"

    @property
    def node_address(self) -> str:
        """Return the node's address."""
        return f"198.18.{self.number}.2"


def free_link(cluster: str) -> Link:
    """Return a link for a cluster whose network no other device of this machine has."""
    taken = {address for device in _devices() for address in device}
    for number in range(_SUBNETS):
        link = Link(device=device_name(cluster), number=number)
        if link.host_address not in taken:
            return link
    raise DevError("all networks of 198.18.0.0/16 are taken: end other clusters first (`cluster-down`)")


def device_name(cluster: str) -> str:
    """Return the name of this machine's end for a cluster; device names have at most 15 characters."""
    return f"lakehouse{zlib.crc32(cluster.encode()) & 0xFFFFFF:06x}"


def connect(link: Link, pid: int) -> None:
    """Join this machine and the network namespace of a process."""
    _ip("link", "add", link.device, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip("address", "add", f"{link.host_address}/30", "dev", link.device)
    _ip("link", "set", link.device, "up")
    inside = ("nsenter", f"--target={pid}", "--net")
    _ip("link", "set", "lo", "up", inside=inside)
    _ip("address", "add", f"{link.node_address}/30", "dev", "eth0", inside=inside)
    _ip("link", "set", "eth0", "up", inside=inside)


def disconnect(cluster: str) -> None:
    """Remove this machine's end of a link, which the kernel does by itself once the node has ended."""
    subprocess.run(["ip", "link", "delete", device_name(cluster)], capture_output=True, check=False)


def _devices() -> list[list[str]]:
    listing: list[dict[str, Any]] = json.loads(_ip("-json", "address", "show"))
    return [[info["local"] for info in device["addr_info"] if "local" in info] for device in listing]


def _ip(*arguments: str, inside: tuple[str, ...] = ()) -> str:
    done = subprocess.run([*inside, "ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout
