"""Two pipelines that fill one table: fine under one contract; else the older one goes on, and the younger one is told.

A table that changes are merged `into` takes those of several contracts, unless it keeps the history: there, a column
that one of them does not have would look like a change.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse_api.target import History, TargetMode
from lakehouse_operator.core.standing import Violation


@dataclass(frozen=True, kw_only=True)
class Filler:
    """A pipeline as those see it that fill the same table."""

    created: str
    namespace: str
    name: str
    table: str
    field: str
    """Where its spec names the table."""
    contract: str | Mapping[str, Any]
    """The DataContract by namespace and name, or the schema itself."""
    overwrites: bool
    suspended: bool

    @property
    def age(self) -> tuple[str, str, str]:
        """Order pipelines by when they were created, the oldest first."""
        return self.created, self.namespace, self.name


def fillers_of(body: Mapping[str, Any]) -> tuple[Filler, ...]:
    """Read a pipeline, whose spec may be anything: once for each table that it should have for its contract alone."""
    spec, metadata = body.get("spec") or {}, body["metadata"]
    target = _mapping(spec.get("target"))
    return tuple(
        Filler(
            created=metadata.get("creationTimestamp", ""),
            namespace=metadata["namespace"],
            name=metadata["name"],
            table=table,
            field=field,
            contract=_contract(_mapping(spec.get("contract")), metadata["namespace"]),
            overwrites=target.get("mode") == TargetMode.OVERWRITE,
            suspended=spec.get("suspend") is True,
        )
        for field, table in _tables(target)
    )


def _tables(target: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    merge = _mapping(target.get("merge"))
    named = {"spec.target.table": target.get("table")}
    if merge.get("history") == History.SCD2:
        named["spec.target.merge.into"] = merge.get("into")
    return ((field, table) for field, table in named.items() if isinstance(table, str))


def _contract(contract: Mapping[str, Any], namespace: str) -> str | Mapping[str, Any]:
    return f"{namespace}/{contract['ref']}" if "ref" in contract else contract.get("schema") or {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def sharing_violation(namespace: str, name: str, fillers: Iterable[Filler]) -> Violation | None:
    """Find the oldest pipeline that fills a table of this one in a way that does not go with it."""
    active = sorted((one for one in fillers if not one.suspended), key=lambda one: one.age)
    own = [one for one in active if (one.namespace, one.name) == (namespace, name)]
    pairs = ((mine, one) for mine in own for one in active if one.table == mine.table and one.age < mine.age)
    found = ((mine, one, problem) for mine, one in pairs if (problem := _problem(mine, one)))
    for mine, rival, problem in found:
        return Violation(
            reason="TargetShared",
            message=f"{mine.field}: {mine.table} is filled by the pipeline {rival.namespace}/{rival.name}, {problem}; "
            "or suspend that pipeline",
        )
    return None


def _problem(own: Filler, other: Filler) -> str:
    if own.overwrites or other.overwrites:
        return "and one of the two would replace the other's rows: name another table"
    return "" if own.contract == other.contract else "under another contract: name that contract here, or another table"
