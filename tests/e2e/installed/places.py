"""Every place of a cluster and its lake where somebody without rights to Secrets could read."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lakehouse_dev import s3
from lakehouse_dev.installation import NAMESPACE as OPERATORS
from tests.e2e.installed.stage import NAMESPACE, Stage

TENANTS = ("lakehouse", NAMESPACE)
_READ = "import sys, urllib.request as r; print(r.urlopen('http://127.0.0.1:4040' + sys.argv[1]).read().decode())"
_PROCESSES = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
_PAGES = ("/environment/", "/jobs/", "/SQL/", "/executors/")


def of_cluster(stage: Stage) -> Mapping[str, str]:
    """Give what kubectl shows of the operator and of its tenants."""
    kinds = {
        "resources and their status": "ingestpipelines,datacontracts",
        "events": "events",
        "ConfigMaps": "configmaps",
        "Pods": "pods",
    }
    shown = {
        place: "".join(stage.kubectl("--namespace", each, "get", kind, "--output=json") for each in TENANTS)
        for place, kind in kinds.items()
    }
    operator = ("--selector=app.kubernetes.io/name=lakehouse-operator", "--tail=-1")
    return {
        **shown,
        "the operator's log": stage.kubectl("--namespace", OPERATORS, "logs", *operator),
        "drivers' logs": "".join(_logs(stage)),
    }


def of_driver(stage: Stage, pod: str) -> Mapping[str, str]:
    """Give what a running driver shows: its Spark UI, page by page and as JSON, and its processes."""

    def inside(*command: str) -> str:
        return stage.kubectl("--namespace", NAMESPACE, "exec", pod, "--", *command)

    def asked(path: str) -> str:
        return inside("python3", "-c", _READ, path)

    app = json.loads(asked("/api/v1/applications"))[0]["id"]
    told = (f"/api/v1/applications/{app}/environment", f"/api/v1/applications/{app}/sql?details=true")
    return {
        "the Spark UI's environment page": asked(_PAGES[0]),
        "the Spark UI's environment as JSON": asked(told[0]),
        "the Spark UI's other pages": "".join(map(asked, (*_PAGES[1:], told[1]))),
        "the list of processes": inside("sh", "-c", _PROCESSES),
    }


def of_lake(stage: Stage) -> Mapping[str, str]:
    """Give the texts beside the tables, and the refused rows."""
    found: dict[str, str] = {"reports of runs": "", "plans of batches": "", "commits of tables": ""}
    for key, text in _texts(stage.endpoint):
        place = "commits of tables" if "/_delta_log/" in key else "plans of batches"
        found["reports of runs" if "/_runs/" in key else place] += text
    return {**found, "quarantined rows": "".join(_refused(stage))}


def _logs(stage: Stage) -> Iterator[str]:
    for each in TENANTS:
        for pod in stage.get("pods", "--selector=spark-role=driver", namespace=each)["items"]:
            yield stage.kubectl("--namespace", each, "logs", pod["metadata"]["name"])


def _texts(endpoint: str) -> Iterator[tuple[str, str]]:
    client: Any = s3.client(endpoint)
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix="warehouse/"):
        for key in (each["Key"] for each in page.get("Contents", [])):
            if key.endswith((".json", ".ndjson", ".log")):
                yield key, client.get_object(Bucket="lake", Key=key)["Body"].read().decode(errors="replace")


def _refused(stage: Stage) -> Iterator[str]:
    for each in TENANTS:
        for one in stage.get("ingestpipelines", namespace=each)["items"]:
            table = one["spec"]["target"]["table"]
            if one.get("status", {}).get("lastQuarantined"):
                rows = stage.lake.query(f"{table}__quarantine", "SELECT * FROM t")
                yield "".join(str(rows[name].to_pylist()) for name in rows.schema.names)
