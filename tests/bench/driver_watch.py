"""When driver Pods appear, and what processes use: what the benches of launching have in common."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.kube.access import read_kubeconfig
from lakehouse_operator.kube.endpoints import PODS

_TICKS = os.sysconf("SC_CLK_TCK")
_DRIVERS = "spark-role=driver"


@asynccontextmanager
async def appearances(control_plane: ControlPlane, namespace: str, label: str) -> AsyncIterator[dict[str, float]]:
    """Note, by the value of a label, the monotonic time at which the first driver Pod of each is seen."""
    seen: dict[str, float] = {}
    watch = asyncio.create_task(_watch(control_plane, namespace, label, seen))
    try:
        yield seen
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch(control_plane: ControlPlane, namespace: str, label: str, seen: dict[str, float]) -> None:
    access = read_kubeconfig(control_plane.kubeconfig)
    connector = aiohttp.TCPConnector(ssl=access.ssl_context())
    async with (
        aiohttp.ClientSession(connector=connector, read_bufsize=2**20) as session,
        session.get(
            access.server + PODS.path(namespace),
            params={"watch": "true", "labelSelector": _DRIVERS},
            timeout=aiohttp.ClientTimeout(total=None),
        ) as answer,
    ):
        async for line in answer.content:
            value = json.loads(line)["object"]["metadata"]["labels"].get(label)
            seen.setdefault(value, time.monotonic())


def cpu_seconds(pid: int) -> float:
    """Give the CPU seconds a process has used, in user and in kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
