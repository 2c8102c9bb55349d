"""Following a pipeline until its run has ended, telling each change as it happens."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lakehouse_dev.cluster import services
from lakehouse_dev.errors import DevError
from lakehouse_dev.progress import say

TIMEOUT_SECONDS = 900
_POLL_SECONDS = 0.5
_PATIENCE = 20
"""Looks at which a pipeline may be stalled: its contract may come into sight after it."""

Status = Mapping[str, Any]


def follow(kubeconfig: Path, namespace: str, name: str) -> Status:
    """Return the status of a pipeline once its last run succeeded and nothing is under way.

    Raises:
        DevError: it is stalled, or has not come so far in time.
    """
    started, told, stalls = time.monotonic(), "", 0
    for status in _statuses(kubeconfig, namespace, name):
        line = describe(status)
        if line != told:
            say(f"  {time.monotonic() - started:5.1f} s  {name}: {line}")
            told = line
        stalled = condition(status, "Stalled")
        stalls = stalls + 1 if stalled else 0
        if stalled and stalls > _PATIENCE:
            raise DevError(f"{name} is stalled: {stalled['reason']}: {stalled['message']}")
        if _done(status):
            return status
        if time.monotonic() - started > TIMEOUT_SECONDS:
            raise DevError(f"{name} was not ready after {TIMEOUT_SECONDS} s: {line}")
    raise AssertionError("statuses never end")


def describe(status: Status) -> str:
    """Say in one line what a pipeline is doing."""
    for run in status.get("active", ()):
        waits = f" ({run['message']})" if run.get("message") else ""
        return f"attempt {run['attempt']} {run['phase']}{waits}"
    if retry := status.get("retry"):
        return f"attempt {retry['attempts']} failed, another one follows: {retry['reason']}: {retry['message']}"
    if waiting := status.get("waiting"):
        return f"waits: {waiting['message']}"
    if run := status.get("lastRun"):
        return f"{run['outcome']}: {run['reason']}: {run['message']}"
    return "the operator has not seen it yet"


def condition(status: Status, kind: str) -> Mapping[str, Any] | None:
    """Return a condition that is true, if it is."""
    found = (one for one in status.get("conditions", ()) if one["type"] == kind and one["status"] == "True")
    return next(found, None)


def _done(status: Status) -> bool:
    return condition(status, "Ready") is not None and not status.get("active") and not status.get("retry")


def _statuses(kubeconfig: Path, namespace: str, name: str) -> Iterator[Status]:
    while True:
        text = services.kubectl(kubeconfig, "--namespace", namespace, "get", "ingestpipeline", name, "--output=json")
        yield json.loads(text).get("status", {})
        time.sleep(_POLL_SECONDS)
