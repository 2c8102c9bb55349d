"""The promises of a resource: judged, remembered, and told to those whom spec.notify names, once each.

What there is to say is in the status before anybody is told, and who was told is in it afterwards: a crash in between
says it again under the same id, and never loses it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lakehouse_api.notify import Channel
from lakehouse_api.sla import Sla, SlaStatus
from lakehouse_api.status import RunStatus
from lakehouse_operator.core.channels import channel_id, refusal
from lakehouse_operator.core.conditions import SLA_MET, Judgement, merge
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.notices import Delivery, Notice, Occasion, sentence
from lakehouse_operator.core.outbox import Outbox
from lakehouse_operator.core.plan import Event, EventType, Plan
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.sla import Facts, judge


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What a resource promises, and what the judgement depends on beside its status."""

    resource: Resource
    sla: Sla | None
    notify: Sequence[Channel]
    suspended: bool
    deliveries: tuple[Delivery, ...]
    config: Config
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What comes of it, for a Plan."""

    status: SlaStatus | None
    judgements: tuple[Judgement, ...] = ()
    events: tuple[Event, ...] = ()
    notices: tuple[Notice, ...] = ()
    due: datetime | None = None


def overseen(plan: Plan, promised: Promised) -> Plan:
    """Add to a plan of any kind that runs what its promises ask for.

    What there is to say is not held up by a launch that the cluster may not take: it is stored in a plan of its own
    before, so that a plan with a launch says only what is in the status already.
    """
    stored = promised.resource.status
    if promised.sla is None and "sla" not in stored:
        return plan
    if plan.launch is None:
        return _joined(plan, promised)
    before = _joined(Plan(status=stored), promised)
    if _said(before.status) != _said(stored):
        return replace(before, requeue_after=timedelta())
    return replace(_joined(plan, promised), notices=before.notices)


def _said(status: Mapping[str, Any] | None) -> Any:
    known = (status or {}).get("sla") or {}
    return known.get("breaches"), known.get("undelivered")


def _joined(plan: Plan, promised: Promised) -> Plan:
    status = dict(promised.resource.status if plan.status is None else plan.status)
    kept = keep(promised, status)
    waits = [plan.requeue_after, max(kept.due - promised.now, timedelta()) if kept.due else None]
    return replace(
        plan,
        status=_with(status, kept, promised),
        events=(*plan.events, *kept.events),
        notices=kept.notices,
        requeue_after=min((wait for wait in waits if wait is not None), default=None),
    )


def _with(status: Mapping[str, Any], kept: Kept, promised: Promised) -> dict[str, Any]:
    """Put the condition behind the others, and what is known in its place."""
    resource = promised.resource
    before = RunStatus.model_validate(resource.status, extra="ignore").conditions
    judged = merge(before, kept.judgements, generation=resource.generation, now=promised.now)
    others = [one for one in status.get("conditions") or () if one["type"] != SLA_MET]
    known = {"sla": kept.status.told()} if kept.status else {}
    rest = {key: value for key, value in status.items() if key != "sla"}
    return {**rest, "conditions": [*others, *(one.told() for one in judged)], **known}


def keep(promised: Promised, status: Mapping[str, Any]) -> Kept:
    """Judge the promises by a status, take note of what was delivered, and say what there is to say."""
    before = SlaStatus.model_validate(status.get("sla") or {}, extra="ignore")
    judged = judge(_facts(promised, status, before))
    box = Outbox(
        resource=promised.resource,
        channels={channel_id(channel): channel for channel in promised.notify},
        status=judged.status,
        now=promised.now,
    )
    box = box.noted(promised.deliveries).given_up().tidied()
    return Kept(
        status=box.status if promised.sla or box.status.breaches else None,
        judgements=(judged.judgement,) if judged.judgement else (),
        events=(*_changes(before, judged.status), *box.events, *_refusals(promised)),
        notices=tuple(box.notices(promised.config.notifications.environment)),
        due=min((due for due in (judged.due, box.due) if due), default=None),
    )


def _facts(promised: Promised, status: Mapping[str, Any], known: SlaStatus) -> Facts:
    """Take the runs as they will be, and generation and conditions as they are: they tell what was judged last."""
    now = {key: value for key, value in status.items() if key not in ("conditions", "observedGeneration")}
    before = {
        key: value for key, value in promised.resource.status.items() if key in ("conditions", "observedGeneration")
    }
    return Facts(
        sla=promised.sla,
        suspended=promised.suspended,
        created=promised.resource.created,
        run=RunStatus.model_validate({**now, **before}, extra="ignore"),
        known=known,
        now=promised.now,
    )


def _changes(before: SlaStatus, after: SlaStatus) -> Iterator[Event]:
    """Tell of breaches that opened or ended just now."""
    known = {(one.promise, one.slot, one.since): one for one in before.breaches}
    for breach in after.breaches:
        earlier = known.get((breach.promise, breach.slot, breach.since))
        if earlier is None:
            message = sentence(breach, Occasion.BREACHED)
            yield Event(type=EventType.WARNING, reason=breach.reason, message=message)
        elif breach.until and earlier.until is None:
            message = sentence(breach, Occasion.RECOVERED)
            yield Event(type=EventType.NORMAL, reason="SLARecovered", message=message)


def _refusals(promised: Promised) -> Iterator[Event]:
    """Tell, before there is anything to say, of channels that could never be told it."""
    for index, channel in enumerate(promised.notify):
        why = refusal(channel, promised.resource.namespace, promised.config)
        if why:
            message = f"spec.notify[{index}].{channel.kind} will not be told anything: {why}"
            yield Event(type=EventType.WARNING, reason="NotificationRefused", message=message)
