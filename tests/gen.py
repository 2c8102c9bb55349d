"""Builders of the objects that tests talk about; each needs only what its test is about."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from lakehouse_api.run import RunResult
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.drivers import CONTAINER
from lakehouse_operator.core.instants import format_time
from lakehouse_operator.core.resource import Resource

NOW = datetime(2026, 11, 23, 22, 0, 30, tzinfo=UTC)
UID = "6d0c5c1e-2f7c-4c5f-9c39-0a4b7d3c1e55"

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["Id"],
    "properties": {"Id": {"type": "string"}},
}


def config(**changes: Any) -> Config:
    document: dict[str, Any] = {
        "lake": {"uri": "s3://lake"},
        "buckets": [
            {
                "bucket": "lake",
                "endpoint": "http://s3-east.s3.svc:8333",
                "region": "us-east-1",
                "pathStyle": True,
                "credentials": {"secretRef": {"name": "lake-s3"}},
            },
            {"bucket": "landing", "endpoint": "http://s3-east.s3.svc:8333", "region": "us-east-1", "pathStyle": True},
        ],
        "spark": {"image": "localhost/lakehouse-spark:1"},
        "tenancy": [{"namespace": "lakehouse", "tables": ["bronze.*"], "uris": ["s3://landing/*"]}],
    }
    return Config.model_validate({**document, **changes})


def pipeline_body(name: str = "crm-accounts", **changes: Any) -> dict[str, Any]:
    """Give an IngestPipeline as the API server returns it; `changes` replace fields of its spec."""
    spec: dict[str, Any] = {
        "source": {
            "files": {
                "uri": "s3://landing/crm/accounts/",
                "format": "csv",
                "options": {"header": "true"},
                "credentials": {"secretRef": {"name": "landing-s3"}},
            }
        },
        "contract": {"schema": SCHEMA},
        "target": {"table": "bronze.crm_accounts"},
    }
    spec.update(changes)
    return {
        "apiVersion": "lakehouse.dev/v1alpha1",
        "kind": "IngestPipeline",
        "metadata": {
            "name": name,
            "namespace": "lakehouse",
            "uid": UID,
            "generation": 1,
            "resourceVersion": "1000",
            "creationTimestamp": format_time(NOW - timedelta(hours=3, seconds=30)),
        },
        "spec": {key: value for key, value in spec.items() if value is not None},
        "status": {"observedGeneration": -1},
    }


def contract_body(name: str = "crm-accounts", **changes: Any) -> dict[str, Any]:
    """Give a DataContract as the API server returns it; `changes` replace fields of its spec."""
    body = pipeline_body(name)
    return {**body, "kind": "DataContract", "spec": {"owner": "crm-team", "schema": SCHEMA, **changes}}


def pipeline(name: str = "crm-accounts", **changes: Any) -> Resource:
    return Resource.read(pipeline_body(name, **changes))


def born(pod: dict[str, Any], at: datetime) -> dict[str, Any]:
    """Give a Pod as it is right after its creation."""
    pod = deepcopy(pod)
    pod["metadata"]["creationTimestamp"] = format_time(at)
    pod["status"] = {"phase": "Pending"}
    return pod


def bound(pod: dict[str, Any]) -> dict[str, Any]:
    """Give a Pod that the scheduler has put on a node, of which its kubelet has said nothing yet."""
    return {**pod, "spec": {**pod["spec"], "nodeName": "node-1"}}


def running(pod: dict[str, Any], at: datetime) -> dict[str, Any]:
    state = {"running": {"startedAt": format_time(at)}}
    return with_status(bound(pod), phase="Running", startTime=format_time(at), containerStatuses=[container(state)])


def waiting(pod: dict[str, Any], reason: str, message: str = "") -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return with_status(bound(pod), phase="Pending", startTime=format_time(NOW), containerStatuses=[container(state)])


def ended(
    pod: dict[str, Any],
    at: datetime,
    *,
    code: int = 0,
    reason: str = "",
    message: str = "",
    result: RunResult | None = None,
) -> dict[str, Any]:
    """Give a Pod whose driver ended with an exit code and what it left as its termination message."""
    said = result.model_dump_json(by_alias=True, exclude_none=True) if result else message
    terminated = {
        "exitCode": code,
        "reason": reason or ("Completed" if code == 0 else "Error"),
        "message": said,
        "startedAt": format_time(at - timedelta(minutes=1)),
        "finishedAt": format_time(at),
    }
    phase = "Succeeded" if code == 0 else "Failed"
    return with_status(pod, phase=phase, containerStatuses=[container({"terminated": terminated})])


def with_status(pod: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {**pod, "status": status}


def container(state: dict[str, Any]) -> dict[str, Any]:
    return {"name": CONTAINER, "image": "localhost/lakehouse-spark:1", "restartCount": 0, "state": state}


def deleting(pod: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": format_time(at)}}


def succeeded(rows: int = 10, quarantined: int = 1) -> RunResult:
    return RunResult(
        outcome="Succeeded",
        reason="Ingested",
        message=f"wrote {rows} rows, refused {quarantined}",
        metrics={
            "rowsRead": rows + quarantined,
            "rowsWritten": rows,
            "rowsQuarantined": quarantined,
            "newestInputTime": "2026-11-23T21:55:00Z",
        },
    )


def failed(reason: str = "StoreUnavailable", *, retry: bool = True) -> RunResult:
    return RunResult(outcome="Failed", reason=reason, message="s3://landing did not answer", retry=retry)
