"""What one launch costs: this operator beside `spark-submit --deploy-mode cluster`, in turn, against one API server.

Both create the driver Pod and what belongs to it, and do not wait for the job. spark-submit's CPU is that of the
process and its children; ours is that of the operator process over the same time.
"""

import asyncio
import json
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pyspark

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core import names
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import Endpoint
from tests.apiserver.installed import install, token_kubeconfig
from tests.apiserver.running import PIPELINES, RunningOperator, pipeline, until, until_leading
from tests.apiserver.world import SERVICE_ACCOUNTS, administrator, make_namespace
from tests.bench.driver_watch import appearances, cpu_seconds

NAMESPACE = "test-launch"
ROUNDS = 5
OURS_EACH_ROUND = 20
_SPARK = Path(pyspark.__file__).parent
_BINDINGS = Endpoint(
    api_version="rbac.authorization.k8s.io/v1", plural="clusterrolebindings", kind="ClusterRoleBinding"
)

Measured = dict[str, list[float]]


def run() -> dict[str, Any]:
    """Measure both in turn; the result has CPU seconds per launch."""
    with ControlPlane() as control_plane, tempfile.TemporaryDirectory(prefix="lakehouse-launch-") as directory:
        ours, peer = asyncio.run(_measure(control_plane, Path(directory)))
    cpu, peer_cpu = statistics.median(ours["cpu"]), statistics.median(peer["cpu"])
    return {
        "bench": "launch",
        "ours": round(cpu, 4),
        "peer": round(peer_cpu, 2),
        "ratio": round(cpu / peer_cpu, 5),
        "unit": "CPU-s per launch",
        "detail": {
            "peer": f"spark-submit {pyspark.__version__} --deploy-mode cluster",
            "latency_seconds": {name: round(statistics.median(m["latency"]), 3) for name, m in _named(ours, peer)},
            "cpu_seconds": {name: [round(value, 4) for value in m["cpu"]] for name, m in _named(ours, peer)},
        },
    }


def _named(ours: Measured, peer: Measured) -> list[tuple[str, Measured]]:
    return [("ours", ours), ("peer", peer)]


async def _measure(control_plane: ControlPlane, directory: Path) -> tuple[Measured, Measured]:
    ours: Measured = {"cpu": [], "latency": []}
    peer: Measured = {"cpu": [], "latency": []}
    async with administrator(control_plane) as client:
        await install(client)
        await make_namespace(client, NAMESPACE)
        kubeconfig = await _submitter(client, control_plane, directory / "kubeconfig")
        operator = RunningOperator(directory=directory, kubeconfig=control_plane.kubeconfig).start()
        await until_leading(operator)
        for number in range(ROUNDS):
            await _launch_ours(control_plane, client, operator, number, ours)
            await _launch_peer(control_plane, kubeconfig, f"peer-{number}", peer)
        operator.stop()
    return ours, peer


async def _launch_ours(
    control_plane: ControlPlane, client: Client, operator: RunningOperator, number: int, measured: Measured
) -> None:
    before = cpu_seconds(operator.running.pid)
    async with appearances(control_plane, NAMESPACE, names.NAME) as seen:
        for one in range(OURS_EACH_ROUND):
            name = f"launch-{number}-{one}"
            began = time.monotonic()
            await client.create(PIPELINES, NAMESPACE, pipeline(name))
            measured["latency"].append(await _appeared(seen, name) - began)
    measured["cpu"].append((cpu_seconds(operator.running.pid) - before) / OURS_EACH_ROUND)


async def _launch_peer(control_plane: ControlPlane, kubeconfig: Path, name: str, measured: Measured) -> None:
    conf = {
        "spark.kubernetes.namespace": NAMESPACE,
        "spark.kubernetes.container.image": "localhost/lakehouse-spark:1",
        "spark.kubernetes.authenticate.driver.serviceAccountName": "driver",
        "spark.kubernetes.driver.label.bench": name,
        "spark.kubernetes.submission.waitAppCompletion": "false",
    }
    flags = [part for key, value in conf.items() for part in ("--conf", f"{key}={value}")]
    server = f"k8s://{control_plane.server}"
    command = [str(_SPARK / "bin" / "spark-submit"), "--master", server, "--deploy-mode", "cluster", *flags]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "SPARK_HOME": str(_SPARK)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    async with appearances(control_plane, NAMESPACE, "bench") as seen:
        began = time.monotonic()
        submit = await asyncio.create_subprocess_exec(
            *command, "local:///opt/job.py", env=environment, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await submit.communicate()
        if submit.returncode:
            raise RuntimeError(f"spark-submit failed: {errors.decode()[-2000:]}")
        measured["latency"].append(await _appeared(seen, name) - began)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured["cpu"].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


async def _appeared(seen: dict[str, float], name: str) -> float:
    async def met() -> float | None:
        return seen.get(name)

    found: float = await until(met, f"a driver Pod of {name}")
    return found


async def _submitter(client: Client, control_plane: ControlPlane, file: Path) -> Path:
    """Write a kubeconfig with a token: Spark's client cannot read the elliptic-curve key of the administrator's."""
    subject = {"kind": "ServiceAccount", "name": "submit", "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    await client.create(SERVICE_ACCOUNTS, NAMESPACE, {"metadata": {"name": "submit"}})
    await client.create(_BINDINGS, "", {"metadata": {"name": "submit"}, "roleRef": role, "subjects": [subject]})
    return await token_kubeconfig(client, control_plane, file, namespace=NAMESPACE, account="submit")


if __name__ == "__main__":
    print(json.dumps(run()))  # noqa: T201 - the result is the output
