"""How fast runs start: 500 pipelines created at once, one operator process, a real API server on the same machine.

Measured from the moment the API server has acknowledged a pipeline to the moment a watch shows its driver Pod.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core import names
from lakehouse_operator.kube.access import read_kubeconfig
from lakehouse_operator.kube.client import CONNECTIONS, Client
from lakehouse_operator.kube.endpoints import PODS
from tests.apiserver.installed import install
from tests.apiserver.running import PIPELINES, RunningOperator, pipeline, until, until_leading
from tests.apiserver.world import administrator, make_namespace

PIPELINES_AT_ONCE = 500
ROUNDS = 3
_TICKS = os.sysconf("SC_CLK_TCK")


def run() -> dict[str, Any]:
    """Measure several bursts, each in a cluster of its own; the result has launches/s."""
    rounds = [_round() for _ in range(ROUNDS)]
    rates = [one["launches_per_second"] for one in rounds]
    return {
        "bench": "burst",
        "ours": round(statistics.median(rates), 1),
        "peer": None,
        "ratio": None,
        "unit": "launches/s",
        "detail": {"pipelines": PIPELINES_AT_ONCE, "cores": os.cpu_count(), "rounds": rounds},
    }


def _round() -> dict[str, Any]:
    with ControlPlane() as control_plane, tempfile.TemporaryDirectory(prefix="lakehouse-burst-") as directory:
        return asyncio.run(_burst(control_plane, Path(directory)))


async def _burst(control_plane: ControlPlane, directory: Path) -> dict[str, Any]:
    async with administrator(control_plane) as client:
        await install(client)
        await make_namespace(client, "test-burst")
        settings = {"maxActiveRuns": {"operator": PIPELINES_AT_ONCE, "namespace": PIPELINES_AT_ONCE}}
        operator = RunningOperator(directory=directory, kubeconfig=control_plane.kubeconfig, settings=settings).start()
        await until_leading(operator)
        seen: dict[str, float] = {}
        watch = asyncio.create_task(_watch(control_plane, seen))
        before = _cpu_seconds(control_plane, operator)
        created = await _create_all(client)

        async def met() -> bool:
            return len(seen) >= PIPELINES_AT_ONCE

        await until(met, f"{PIPELINES_AT_ONCE} driver Pods")
        after = _cpu_seconds(control_plane, operator)
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        operator.stop()
        return _figures(created, seen, {name: round(after[name] - before[name], 2) for name in before})


async def _create_all(client: Client) -> dict[str, float]:
    created: dict[str, float] = {}
    connections = asyncio.Semaphore(CONNECTIONS)

    async def create(name: str) -> None:
        async with connections:
            await client.create(PIPELINES, "test-burst", pipeline(name))
        created[name] = time.monotonic()

    await asyncio.gather(*(create(f"burst-{number}") for number in range(PIPELINES_AT_ONCE)))
    return created


async def _watch(control_plane: ControlPlane, seen: dict[str, float]) -> None:
    """Note when the first driver Pod of each pipeline appears."""
    access = read_kubeconfig(control_plane.kubeconfig)
    url = access.server + PODS.path("test-burst")
    params = {"watch": "true", "labelSelector": names.DRIVER_SELECTOR}
    connector = aiohttp.TCPConnector(ssl=access.ssl_context())
    async with (
        aiohttp.ClientSession(connector=connector, read_bufsize=2**20) as session,
        session.get(url, params=params, timeout=aiohttp.ClientTimeout(total=None)) as answer,
    ):
        async for line in answer.content:
            name = json.loads(line)["object"]["metadata"]["labels"][names.NAME]
            seen.setdefault(name, time.monotonic())


def _cpu_seconds(control_plane: ControlPlane, operator: RunningOperator) -> dict[str, float]:
    pids = {
        "operator": operator.running.pid,
        "kube-apiserver": control_plane.process("kube-apiserver").pid,
        "etcd": control_plane.process("etcd").pid,
        "bench": os.getpid(),
    }
    return {name: _cpu_of(pid) for name, pid in pids.items()}


def _cpu_of(pid: int) -> float:
    """Give the CPU seconds a process has used, in user and in kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _figures(created: dict[str, float], seen: dict[str, float], cpu: dict[str, float]) -> dict[str, Any]:
    waits = sorted(max(seen[name] - created[name], 0.0) for name in created)
    whole = max(seen.values()) - min(created.values())
    return {
        "launches_per_second": round(len(created) / whole, 1),
        "p50_seconds": round(statistics.median(waits), 2),
        "p99_seconds": round(waits[int(len(waits) * 0.99) - 1], 2),
        "cpu_seconds": cpu,
        "operator_cpu_ms_per_launch": round(cpu["operator"] / len(created) * 1000, 2),
    }


if __name__ == "__main__":
    print(json.dumps(run()))  # noqa: T201 - the result is the output
