"""How far each promise of a resource is used up, from what is stored of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from lakehouse_api.sla import Promise, Sla, SlaStatus
from lakehouse_operator.core.instants import parse_time


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One promise of one resource, now."""

    kind: str
    namespace: str
    name: str
    promise: Promise
    met: bool
    seconds: float
    limit_seconds: float


def readings(body: Mapping[str, Any], now: datetime) -> Iterator[Reading]:
    """Read the promises of one resource; a suspended one has none, and one that nobody has judged yet."""
    spec, known = body.get("spec") or {}, (body.get("status") or {}).get("sla")
    if not known or not spec.get("sla") or spec.get("suspend"):
        return
    try:
        sla, status = Sla.model_validate(spec["sla"]), SlaStatus.model_validate(known, extra="ignore")
    except ValidationError:
        return
    metadata = body["metadata"]
    broken = {breach.promise for breach in status.breaches if breach.until is None}
    for promise, limit, since in _clocks(sla, status, metadata["creationTimestamp"]):
        yield Reading(
            kind=body["kind"],
            namespace=metadata["namespace"],
            name=metadata["name"],
            promise=promise,
            met=promise not in broken,
            seconds=(now - parse_time(since)).total_seconds() if since else 0,
            limit_seconds=limit.total_seconds(),
        )


def _clocks(sla: Sla, status: SlaStatus, created: str) -> Iterator[tuple[Promise, timedelta, str | None]]:
    if sla.freshness:
        yield Promise.FRESHNESS, sla.freshness, status.fresh_as_of or created
    if sla.max_duration:
        yield Promise.MAX_DURATION, sla.max_duration, status.running.since if status.running else None
