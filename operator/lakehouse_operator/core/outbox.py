"""Who knows of which breach, and who is told what next. All of it is in the status, so a restart changes nothing.

Each channel is told everything in order, each thing until it has taken it once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from lakehouse_api.notify import Channel
from lakehouse_api.schedule import Retry
from lakehouse_api.sla import BREACHES, Breach, SlaStatus, Undelivered
from lakehouse_operator.core.instants import format_time, parse_time
from lakehouse_operator.core.notices import Delivery, Failure, Notice, Occasion, message_id, message_of, sentence
from lakehouse_operator.core.plan import Event, EventType
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.settle import backoff

GIVEN_UP_AFTER = timedelta(days=3)
"""A weekend: what nobody could be told for so long is old news."""
_PATIENCE = Retry(backoff=timedelta(seconds=30), max_backoff=timedelta(minutes=30))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing there is to say."""

    breach: Breach
    occasion: Occasion
    id: str

    @property
    def known_to(self) -> Sequence[str]:
        """Give the channels that have been told."""
        return self.breach.notified if self.occasion is Occasion.BREACHED else self.breach.recovery_notified

    @property
    def instant(self) -> datetime:
        """Give when it happened."""
        until = self.breach.until if self.occasion is Occasion.RECOVERED else None
        return parse_time(until or self.breach.since)

    def told(self, channel: str) -> Breach:
        """Give the breach with one more channel that knows."""
        field = "notified" if self.occasion is Occasion.BREACHED else "recovery_notified"
        known = [*self.known_to] if channel in self.known_to else [*self.known_to, channel]
        return self.breach.model_copy(update={field: known})


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """What there is to say of one resource, for the channels of its spec by their ids."""

    resource: Resource
    channels: Mapping[str, Channel]
    status: SlaStatus
    now: datetime
    events: tuple[Event, ...] = ()

    def noted(self, deliveries: Sequence[Delivery]) -> Self:
        """Take in how deliveries ended. One that was taken in before changes nothing."""
        box = self
        for delivery in deliveries:
            entry = next((one for one in box.entries() if one.id == delivery.message_id), None)
            if entry is None or delivery.channel_id not in self.channels:
                continue
            if delivery.failure is None:
                box = box.told(entry, delivery.channel_id)
            else:
                box = box.failed(entry, delivery, delivery.failure)
        return box

    def given_up(self) -> Self:
        """Leave out what a channel has refused for too long; it is told what came after."""
        box = self
        for channel in self.channels:
            head = box.head(channel)
            if head and box.wait(channel, head) and self.now - head.instant > GIVEN_UP_AFTER:
                text = f"{channel} took nothing for {GIVEN_UP_AFTER.days} days and is not told of {_said(head)}"
                box = box.told(head, channel).saying("NotificationGivenUp", text)
        return box

    def tidied(self) -> Self:
        """Forget what everybody knows, and waits for which there is no reason any more."""
        kept = [one for one in self.status.breaches if one.until is None or self._someone_waits(one)]
        surplus = [one for one in kept if one.until][: max(0, len(kept) - BREACHES)]
        box = self.updated(breaches=[one for one in kept if one not in surplus])
        return box.updated(undelivered=[one for one in self.status.undelivered if box.has_reason(one)])

    def notices(self, environment: str) -> Iterator[Notice]:
        """Give the next message for each channel that is not to be left alone for now."""
        for name, channel in self.channels.items():
            head = self.head(name)
            if head is None:
                continue
            wait = self.wait(name, head)
            if wait is None or parse_time(wait.not_before) <= self.now:
                message = message_of(self.resource, head.breach, head.occasion, environment)
                attempt = wait.attempts + 1 if wait else 1
                yield Notice(message=message, channel=channel, channel_id=name, attempt=attempt)

    @property
    def due(self) -> datetime | None:
        """Give when the next message is tried again."""
        instants = (parse_time(one.not_before) for one in self.status.undelivered)
        return min((instant for instant in instants if instant > self.now), default=None)

    def entries(self) -> Iterator[Entry]:
        """Give everything that there is to say, oldest first, of every breach first that it began."""
        for breach in sorted(self.status.breaches, key=lambda one: one.since):
            for occasion in Occasion if breach.until else (Occasion.BREACHED,):
                yield Entry(breach=breach, occasion=occasion, id=message_id(self.resource, breach, occasion))

    def head(self, channel: str) -> Entry | None:
        """Give what a channel is told next."""
        return next((entry for entry in self.entries() if channel not in entry.known_to), None)

    def wait(self, channel: str, entry: Entry) -> Undelivered | None:
        """Give what is known of a channel that has refused this; None if it has not."""
        return next((one for one in self.status.undelivered if (one.channel, one.id) == (channel, entry.id)), None)

    def has_reason(self, wait: Undelivered) -> bool:
        """Tell whether a wait is for what the channel is told next."""
        head = self.head(wait.channel) if wait.channel in self.channels else None
        return head is not None and head.id == wait.id

    def _someone_waits(self, breach: Breach) -> bool:
        return not self.channels.keys() <= {*breach.notified} & {*breach.recovery_notified}

    def told(self, entry: Entry, channel: str) -> Self:
        """Take note that a channel knows."""
        breaches = [entry.told(channel) if one == entry.breach else one for one in self.status.breaches]
        return self.updated(breaches=breaches, undelivered=self._others(channel))

    def failed(self, entry: Entry, delivery: Delivery, failure: Failure) -> Self:
        """Take note that a channel did not take something; of the first time an event tells."""
        before = self.wait(delivery.channel_id, entry)
        if delivery.channel_id in entry.known_to or (before and before.attempts >= delivery.attempt):
            return self
        wait = _undelivered(delivery, failure)
        box = self.updated(undelivered=[*self._others(delivery.channel_id), wait])
        if delivery.attempt > 1:
            return box
        text = f"{wait.channel} is tried again, it did not take {_said(entry)}: {wait.reason}: {wait.message}"
        return box.saying("NotificationUndelivered", text)

    def _others(self, channel: str) -> list[Undelivered]:
        return [one for one in self.status.undelivered if one.channel != channel]

    def updated(self, **update: Any) -> Self:
        """Give the outbox with other parts of the status."""
        return replace(self, status=self.status.model_copy(update=update))

    def saying(self, reason: str, text: str) -> Self:
        """Add a warning for whoever looks at the resource."""
        return replace(self, events=(*self.events, Event(type=EventType.WARNING, reason=reason, message=text)))


def _said(entry: Entry) -> str:
    return f'"{sentence(entry.breach, entry.occasion)}"'


def _undelivered(delivery: Delivery, failure: Failure) -> Undelivered:
    """Wait longer with each attempt, and at least as long as the receiver asks."""
    seed = f"{delivery.message_id} {delivery.channel_id} {delivery.attempt}"
    asked = min(timedelta(seconds=failure.wait_seconds), _PATIENCE.max_backoff)
    return Undelivered(
        channel=delivery.channel_id,
        id=delivery.message_id,
        attempts=delivery.attempt,
        not_before=format_time(delivery.at + max(backoff(_PATIENCE, delivery.attempt, seed), asked)),
        reason=failure.reason,
        message=failure.message,
    )
