"""How fast runs start: 500 pipelines created at once, one operator process, a real API server on the same machine.

Measured from the moment the API server has acknowledged a pipeline to the moment a watch shows its driver Pod.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core import names
from lakehouse_operator.kube.client import CONNECTIONS, Client
from tests.apiserver.installed import install
from tests.apiserver.running import PIPELINES, RunningOperator, pipeline, until, until_leading
from tests.apiserver.world import administrator, make_namespace
from tests.bench.driver_watch import appearances, cpu_seconds

NAMESPACE = "test-burst"
PIPELINES_AT_ONCE = 500
ROUNDS = 3


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
        await make_namespace(client, NAMESPACE)
        settings = {"maxActiveRuns": {"operator": PIPELINES_AT_ONCE, "namespace": PIPELINES_AT_ONCE}}
        operator = RunningOperator(directory=directory, kubeconfig=control_plane.kubeconfig, settings=settings).start()
        await until_leading(operator)
        before = _cpu_seconds(control_plane, operator)
        async with appearances(control_plane, NAMESPACE, names.NAME) as seen:
            created = await _create_all(client)
            await until(_all_in(seen), f"{PIPELINES_AT_ONCE} driver Pods")
        after = _cpu_seconds(control_plane, operator)
        operator.stop()
        return _figures(created, seen, {name: round(after[name] - before[name], 2) for name in before})


def _all_in(seen: dict[str, float]) -> Callable[[], Awaitable[bool]]:
    async def met() -> bool:
        return len(seen) >= PIPELINES_AT_ONCE

    return met


async def _create_all(client: Client) -> dict[str, float]:
    created: dict[str, float] = {}
    connections = asyncio.Semaphore(CONNECTIONS)

    async def create(name: str) -> None:
        async with connections:
            await client.create(PIPELINES, NAMESPACE, pipeline(name))
        created[name] = time.monotonic()

    await asyncio.gather(*(create(f"burst-{number}") for number in range(PIPELINES_AT_ONCE)))
    return created


def _cpu_seconds(control_plane: ControlPlane, operator: RunningOperator) -> dict[str, float]:
    pids = {
        "operator": operator.running.pid,
        "kube-apiserver": control_plane.process("kube-apiserver").pid,
        "etcd": control_plane.process("etcd").pid,
        "bench": os.getpid(),
    }
    return {name: cpu_seconds(pid) for name, pid in pids.items()}


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
