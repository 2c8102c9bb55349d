"""A custom resource as the API server has it, before its spec is understood."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from lakehouse_operator.core.instants import parse_time


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One object of our group: identity, wishes and the last status."""

    kind: str
    api_version: str
    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    created: datetime
    deleting: bool
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """Take the object apart; the API server guarantees the metadata."""
        metadata = body["metadata"]
        return cls(
            kind=body["kind"],
            api_version=body["apiVersion"],
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 0),
            resource_version=metadata["resourceVersion"],
            created=parse_time(metadata["creationTimestamp"]),
            deleting="deletionTimestamp" in metadata,
            annotations=metadata.get("annotations") or {},
            spec=body.get("spec") or {},
            status=body.get("status") or {},
        )
