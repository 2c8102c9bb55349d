"""The operator as a process of its own, as it runs in a cluster, and its resources as users write them."""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from lakehouse_dev.processes import Process, spawn_bound
from lakehouse_dev.waiting import free_ports
from lakehouse_operator.core import names
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import PODS, RESOURCES, Endpoint
from lakehouse_operator.kube.errors import ConflictError

PIPELINES = RESOURCES["IngestPipeline"]
CONTRACTS = RESOURCES["DataContract"]
PATIENCE_SECONDS = 180.0

URIS = ["s3://landing/*", "https://*", "jdbc:*", "kafka://*"]
SETTINGS: dict[str, Any] = {
    "lake": {"uri": "s3://lake"},
    "buckets": [{"bucket": "lake", "region": "us-east-1"}, {"bucket": "landing", "region": "us-east-1"}],
    "spark": {"image": "localhost/lakehouse-spark:1", "driverServiceAccount": "driver"},
    "tenancy": [
        {"namespace": "test-*", "tables": ["bronze.*", "silver.*"], "uris": URIS, "awsSecrets": ["prod/*"]},
    ],
    "notifications": {"allowedHosts": ["localhost"], "allowHttp": True},
    "openLineage": {
        "url": "https://lineage.example.com/api/v1/lineage",
        "secretRef": {"name": "openlineage", "key": "apiKey"},
    },
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["Id"],
    "properties": {"Id": {"type": "string"}},
}


def pipeline(name: str, **spec: Any) -> dict[str, Any]:
    """Give an IngestPipeline as a user writes it; keywords replace fields of its spec."""
    files = {"uri": f"s3://landing/{name}/", "format": "csv"}
    return {
        "apiVersion": PIPELINES.api_version,
        "kind": PIPELINES.kind,
        "metadata": {"name": name},
        "spec": {
            "source": {"files": files},
            "contract": {"schema": SCHEMA},
            "target": {"table": f"bronze.{name.replace('-', '_')}"},
            **spec,
        },
    }


@dataclass
class RunningOperator:
    """One operator process; `directory` holds its settings and its log."""

    directory: Path
    kubeconfig: Path
    identity: str = "operator"
    lease: str = "operator"
    lease_namespace: str = "default"
    namespaces: tuple[str, ...] = ("*",)
    settings: Mapping[str, Any] | None = None
    process: Process | None = None
    port: int = 0

    def start(self) -> Self:
        """Start the process, with a log of its own; it waits for the Lease by itself."""
        self.log.unlink(missing_ok=True)
        settings = self.directory / f"{self.identity}.yaml"
        settings.write_text(yaml.safe_dump({**SETTINGS, **(self.settings or {})}))
        (self.port,) = free_ports(1)
        options = {
            "settings": settings,
            "kubeconfig": self.kubeconfig,
            "identity": self.identity,
            "lease-name": self.lease,
            "lease-namespace": self.lease_namespace,
            "namespaces": ",".join(self.namespaces),
            "host": "127.0.0.1",
            "port": self.port,
        }
        flags = [f"--{option}={value}" for option, value in options.items()]
        command = [sys.executable, "-m", "lakehouse_operator", *flags]
        self.process = spawn_bound(self.identity, command, log=self.log)
        return self

    @property
    def log(self) -> Path:
        return self.directory / f"{self.identity}.log"

    @property
    def running(self) -> Process:
        assert self.process is not None
        return self.process

    def kill(self) -> None:
        """End it as a crash would."""
        self.running.kill()

    def stop(self) -> None:
        """End it as the kubelet would."""
        self.running.stop(grace=30)

    def pause(self) -> None:
        self.running.send(signal.SIGSTOP)

    def go_on(self) -> None:
        self.running.send(signal.SIGCONT)


async def until_leading(operator: RunningOperator) -> None:
    """Wait until an operator has the Lease and works."""

    async def met() -> bool:
        operator.running.require_alive()
        return '"leading"' in operator.log.read_text()

    await until(met, f"{operator.identity} leads")


async def until(met: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Wait until something is true and give it; the time is generous because machines are shared."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := await met()):
        assert time.monotonic() < deadline, f"not so after {PATIENCE_SECONDS:.0f} s: {what}"
        await asyncio.sleep(0.05)
    return found


async def edited(
    client: Client, endpoint: Endpoint, namespace: str, name: str, edit: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """Change an object as users' tools do: on what is there now, again if the operator wrote its status meanwhile."""
    while True:
        live = await client.get(endpoint, namespace, name)
        edit(live)
        with contextlib.suppress(ConflictError):
            return await client.replace(endpoint, namespace, name, live)


async def drivers(client: Client, namespace: str, name: str | None = None) -> list[dict[str, Any]]:
    """Give the driver Pods of a namespace, or of one resource, oldest first."""
    labels = names.DRIVER_SELECTOR + (f",{names.NAME}={name}" if name else "")
    pods = [pod async for pod in client.list(PODS, namespace, labels=labels)]
    return sorted(pods, key=lambda pod: int(pod["metadata"]["labels"][names.ATTEMPT]))


async def driver_of(client: Client, namespace: str, name: str, count: int = 1) -> dict[str, Any]:
    """Wait for the newest of `count` driver Pods of a resource."""

    async def met() -> dict[str, Any] | None:
        pods = await drivers(client, namespace, name)
        return pods[-1] if len(pods) >= count else None

    found: dict[str, Any] = await until(met, f"{name} has {count} driver Pods")
    return found


async def status_of(
    client: Client, namespace: str, name: str, met: Callable[[dict[str, Any]], Any], what: str
) -> dict[str, Any]:
    """Wait until the status of a pipeline is as wanted."""

    async def look() -> dict[str, Any] | None:
        status = (await client.get(PIPELINES, namespace, name)).get("status") or {}
        return status if met(status) else None

    found: dict[str, Any] = await until(look, f"the status of {name}: {what}")
    return found


def condition(status: Mapping[str, Any], kind: str = "Ready") -> tuple[str, str]:
    """Give status and reason of a condition; empty if it is not there."""
    conditions: list[dict[str, str]] = status.get("conditions") or []
    return next(((one["status"], one["reason"]) for one in conditions if one["type"] == kind), ("", ""))


async def finish(client: Client, pod: Mapping[str, Any], **result: Any) -> None:
    """Play the kubelet: the driver has ended and left its result document."""
    document = {"version": 1, "outcome": "Succeeded", "reason": "Ingested", "message": "done", **result}
    terminated = {
        "exitCode": 0 if document["outcome"] == "Succeeded" else 75,
        "reason": "Completed",
        "message": json.dumps(document),
        "startedAt": pod["metadata"]["creationTimestamp"],
        "finishedAt": pod["metadata"]["creationTimestamp"],
    }
    phase = "Succeeded" if document["outcome"] == "Succeeded" else "Failed"
    await set_pod_status(client, pod, phase, {"terminated": terminated})


async def begin(client: Client, pod: Mapping[str, Any]) -> None:
    """Play the kubelet: the driver runs."""
    await set_pod_status(client, pod, "Running", {"running": {"startedAt": pod["metadata"]["creationTimestamp"]}})


async def set_pod_status(client: Client, pod: Mapping[str, Any], phase: str, state: Mapping[str, Any]) -> None:
    container = {
        "name": "spark-kubernetes-driver",
        "image": "none",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }
    metadata = pod["metadata"]
    status = {"phase": phase, "startTime": metadata["creationTimestamp"], "containerStatuses": [container]}
    await client.apply_status(PODS, metadata["namespace"], metadata["name"], status, uid=metadata["uid"])
