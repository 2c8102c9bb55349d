"""Two pipelines that fill one table: fine under one contract; else the older one goes on, and the younger one is told.

A table that changes are merged `into` takes those of several contracts: each pipeline keeps its own rows beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from lakehouse_api.target import TargetMode
from lakehouse_operator.core.standing import Violation


@dataclass(frozen=True, kw_only=True)
class Filler:
    """A pipeline as those see it that fill the same table."""

    created: str
    namespace: str
    name: str
    table: str
    contract: str | Mapping[str, Any]
    """The DataContract by namespace and name, or the schema itself."""
    overwrites: bool
    suspended: bool

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self | None:
        """Read a pipeline whose spec may be anything; None if it names no table."""
        spec, metadata = body.get("spec") or {}, body["metadata"]
        target, contract = spec.get("target"), spec.get("contract")
        if not (isinstance(target, Mapping) and isinstance(target.get("table"), str)):
            return None
        return cls(
            created=metadata.get("creationTimestamp", ""),
            namespace=metadata["namespace"],
            name=metadata["name"],
            table=target["table"],
            contract=_contract(contract if isinstance(contract, Mapping) else {}, metadata["namespace"]),
            overwrites=target.get("mode") == TargetMode.OVERWRITE,
            suspended=spec.get("suspend") is True,
        )

    @property
    def age(self) -> tuple[str, str, str]:
        """Order pipelines by when they were created, the oldest first."""
        return self.created, self.namespace, self.name


def _contract(contract: Mapping[str, Any], namespace: str) -> str | Mapping[str, Any]:
    return f"{namespace}/{contract['ref']}" if "ref" in contract else contract.get("schema") or {}


def sharing_violation(own: Filler | None, others: Iterable[Filler]) -> Violation | None:
    """Find the oldest pipeline that fills the same table in a way that does not go with this one."""
    if own is None or own.suspended:
        return None
    older = sorted((one for one in others if one.age < own.age and not one.suspended), key=lambda one: one.age)
    rival = next((one for one in older if _problem(own, one)), None)
    if rival is None:
        return None
    return Violation(
        reason="TargetShared",
        message=f"spec.target.table: {own.table} is filled by the pipeline {rival.namespace}/{rival.name}, "
        f"{_problem(own, rival)}; or suspend that pipeline",
    )


def _problem(own: Filler, other: Filler) -> str:
    if own.overwrites or other.overwrites:
        return "and one of the two would replace the other's rows: name another table"
    return "" if own.contract == other.contract else "under another contract: name that contract here, or another table"
