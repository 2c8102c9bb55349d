"""The promises of a resource: judged, remembered, and told to those whom spec.notify names, once each.

What there is to say is in the status before anybody is told, and who was told is in it afterwards: a crash in between
says it again under the same id, and never loses it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lakehouse_api.notify import Channel
from lakehouse_api.sla import Sla, SlaStatus
from lakehouse_api.status import RunStatus
from lakehouse_operator.core.channels import channel_id, refusal
from lakehouse_operator.core.conditions import Judgement
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.notices import Delivery, Notice, Occasion, sentence
from lakehouse_operator.core.outbox import Outbox
from lakehouse_operator.core.plan import Event, EventType
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.sla import Facts, judge


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What the promises of a resource are judged by. `run` is its status as it will be stored."""

    resource: Resource
    sla: Sla | None
    notify: Sequence[Channel]
    suspended: bool
    run: RunStatus
    known: SlaStatus | None
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


def keep(promised: Promised) -> Kept:
    """Judge the promises, take note of what was delivered, and say what there is to say."""
    before = promised.known or SlaStatus()
    judged = judge(_facts(promised, before))
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


def _facts(promised: Promised, known: SlaStatus) -> Facts:
    return Facts(
        sla=promised.sla,
        suspended=promised.suspended,
        created=promised.resource.created,
        run=promised.run,
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
