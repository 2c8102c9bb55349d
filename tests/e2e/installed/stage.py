"""The installed operator as its users meet it: kubectl, S3, the tables."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lakehouse_api.kinds import API_VERSION
from lakehouse_dev import s3
from lakehouse_dev.cluster import services
from lakehouse_dev.following import condition, describe
from lakehouse_dev.tables import Lake

NAMESPACE = "e2e"
SMALL = "s3://landing/small/"
SMALL_FILES = {"one.csv": "Id,Name\n1,Ada\n2,Grace\n,Nobody\n", "two.csv": "Name,Id\nEdsger,3\n"}
SMALL_COUNTS = {"rowsRead": 4, "rowsWritten": 3, "rowsQuarantined": 1, "filesRead": 2}
SCHEMA = {"type": "object", "required": ["Id"], "properties": {"Id": {"type": "string"}, "Name": {"type": "string"}}}
PATIENCE_SECONDS = 420
"""Runs wait for each other on a node of two cores."""

Status = Mapping[str, Any]
T = TypeVar("T")


def pipeline(name: str, *, namespace: str = NAMESPACE, **spec: Any) -> dict[str, Any]:
    """Give a pipeline that reads the small files; keywords replace fields of its spec."""
    return {
        "apiVersion": API_VERSION,
        "kind": "IngestPipeline",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "source": files(),
            "contract": {"schema": SCHEMA},
            "target": {"table": f"bronze.{name.replace('-', '_')}"},
            "retry": {"maxAttempts": 1},
            "spark": {"driver": {"memory": "512Mi"}},
            **spec,
        },
    }


def files(uri: str = SMALL, *, format: str = "csv", secret: str = "landing-s3") -> dict[str, Any]:  # noqa: A002  # the field's name
    """Give a source of files."""
    return {"files": {"uri": uri, "format": format, "credentials": {"secretRef": {"name": secret}}}}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One cluster with the operator in it."""

    kubeconfig: Path
    endpoint: str

    @property
    def lake(self) -> Lake:
        return Lake(endpoint=self.endpoint, uri="s3://lake/warehouse")

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        return services.kubectl(self.kubeconfig, *arguments, stdin=stdin)

    def get(self, *arguments: str, namespace: str = NAMESPACE) -> Any:
        return json.loads(self.kubectl("--namespace", namespace, "get", *arguments, "--output=json"))

    def apply(self, *documents: Mapping[str, Any]) -> None:
        self.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all(documents))

    def put(self, uri: str, content: Mapping[str, str | bytes]) -> None:
        """Put objects under a folder of a bucket."""
        bucket, _, folder = uri.removeprefix("s3://").partition("/")
        for name, data in content.items():
            body = data.encode() if isinstance(data, str) else data
            s3.client(self.endpoint).put_object(Bucket=bucket, Key=f"{folder}{name}", Body=body)

    def status(self, name: str, namespace: str = NAMESPACE) -> Status:
        status: Status = self.get("ingestpipeline", name, namespace=namespace).get("status", {})
        return status

    def until(self, name: str, met: Callable[[Status], Any], what: str, *, namespace: str = NAMESPACE) -> Status:
        """Wait until the status of a pipeline is as wanted."""
        return self.eventually(
            lambda: next((one for one in [self.status(name, namespace)] if met(one)), None),
            lambda: f"{name}: {what}; it is: {describe(self.status(name, namespace))}",
        )

    def eventually(self, look: Callable[[], T | None], what: Callable[[], str]) -> T:
        """Wait until a look finds something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := look()):
            assert time.monotonic() < deadline, f"not so after {PATIENCE_SECONDS} s: {what()}"
            time.sleep(0.5)
        return found

    def settled(self, name: str, namespace: str = NAMESPACE) -> Status:
        """Wait until nothing is under way any more: a run has ended, or none can start."""
        return self.until(name, _is_settled, "settled", namespace=namespace)

    def running_driver(self, name: str) -> str:
        """Wait until a driver of a pipeline runs and give the name of its Pod."""
        status = self.until(name, lambda one: _phase(one) == "Running", "its driver runs")
        pod: str = status["active"][0]["pod"]
        return pod

    def objects_of(self, name: str, namespace: str = NAMESPACE) -> list[str]:
        """Name the Pods and ConfigMaps that runs of a pipeline have left."""
        found = self.get("pods,configmaps", f"--selector=lakehouse.dev/name={name}", namespace=namespace)
        return [f"{one['kind']}/{one['metadata']['name']}" for one in found["items"]]


def ready(status: Status) -> tuple[str, str]:
    """Give status and reason of the condition Ready."""
    found = (one for one in status.get("conditions", ()) if one["type"] == "Ready")
    return next(((one["status"], one["reason"]) for one in found), ("", ""))


def counts(status: Status) -> dict[str, int]:
    """Give the counts of the last run."""
    metrics = status["lastRun"]["metrics"]
    return {name: metrics[name] for name in SMALL_COUNTS}


def _phase(status: Status) -> str | None:
    return next((run["phase"] for run in status.get("active", ())), None)


def _is_settled(status: Status) -> bool:
    busy = any(status.get(part) for part in ("active", "retry", "waiting"))
    return not busy and (status.get("lastRun") is not None or condition(status, "Stalled") is not None)
