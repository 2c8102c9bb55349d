"""Names, labels and owner references of the objects of a run. Never from a clock, never random."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from lakehouse_operator.core.resource import Resource

FIELD_MANAGER = "lakehouse-operator"
DRIVER_FINALIZER = "lakehouse.dev/driver-result"
"""Keeps a driver Pod until its result is in the status of its resource."""

MANAGED_BY = "app.kubernetes.io/managed-by"
KIND = "lakehouse.dev/kind"
NAME = "lakehouse.dev/name"
UID = "lakehouse.dev/uid"
RUN = "lakehouse.dev/run"
ATTEMPT = "lakehouse.dev/attempt"
SLOT = "lakehouse.dev/slot"
FAILURES = "lakehouse.dev/failures"
SPEC = "lakehouse.dev/spec"

DRIVER_SELECTOR = f"{MANAGED_BY}={FIELD_MANAGER},spark-role=driver"
RUN_SELECTOR = f"{MANAGED_BY}={FIELD_MANAGER},{RUN}"

RUN_ID_LIMIT = 46
_LABEL_LIMIT = 63


def digest(*parts: str, length: int) -> str:
    """Give the first digits of a SHA-256 over the parts; parts cannot run into each other."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:length]


def document_hash(document: Mapping[str, Any], *, length: int) -> str:
    """Give a hash of a JSON document that does not depend on the order of its keys."""
    return digest(json.dumps(document, sort_keys=True, ensure_ascii=False), length=length)


def run_id(*, prefix: str, resource: Resource, slot: str, slot_key: str, attempt: int) -> str:
    """Name one attempt: a DNS label of at most 46 characters, different for every resource, slot and attempt."""
    tail = f"{slot_key}-{attempt}-{digest(resource.namespace, resource.uid, slot, str(attempt), length=6)}"
    room = RUN_ID_LIMIT - len(prefix) - len(tail) - 2
    name = re.sub(r"[^a-z0-9-]", "-", resource.name)[:room].strip("-")
    return f"{prefix}-{name}-{tail}"


def driver_pod(of_run: str) -> str:
    """Name the driver Pod of a run."""
    return f"{of_run}-driver"


def run_labels(resource: Resource, *, of_run: str, attempt: int) -> dict[str, str]:
    """Give the labels by which everything of a run, its executors included, is found."""
    return {
        MANAGED_BY: FIELD_MANAGER,
        KIND: resource.kind,
        NAME: label_value(resource.name),
        UID: resource.uid,
        RUN: of_run,
        ATTEMPT: str(attempt),
    }


def label_value(text: str) -> str:
    """Shorten a name to what a label value may hold, keeping different names different."""
    if len(text) <= _LABEL_LIMIT:
        return text
    return f"{text[: _LABEL_LIMIT - 9]}.{digest(text, length=8)}"


def owner_reference(resource: Resource) -> dict[str, Any]:
    """Make the resource the owner: deleting it deletes the object."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": resource.name,
        "uid": resource.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def log_command(resource: Resource, of_run: str) -> str:
    """Give the command that prints the driver's log, ready to be copied."""
    return f"kubectl -n {resource.namespace} logs {driver_pod(of_run)}"
