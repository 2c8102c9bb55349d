"""Waiting for a condition with a deadline, and ports nobody listens on."""

import socket
import time
from collections.abc import Callable

from lakehouse_dev.errors import DevError

POLL_SECONDS = 0.05


def wait_until(condition: Callable[[], bool], *, what: str, timeout: float, poll: float = POLL_SECONDS) -> None:
    """Return once `condition()` is true; raise DevError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise DevError(f"{what}: not so after {timeout:.0f} s")
        time.sleep(poll)


def free_ports(count: int) -> list[int]:
    """Return distinct loopback TCP ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def accepts_connections(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something listens on a TCP port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
