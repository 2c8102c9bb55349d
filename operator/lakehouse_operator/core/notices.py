"""What is said when a promise is broken and when it is kept again, and to whom: values that a courier delivers.

A message is the same byte for byte however often it is tried, and its id tells a receiver that it has seen it before.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from lakehouse_api.notify import Channel
from lakehouse_api.sla import Breach
from lakehouse_operator.core import names
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.sla import what_is_wrong


class Occasion(StrEnum):
    """When something is said."""

    BREACHED = "breached"
    RECOVERED = "recovered"


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is said. `document` is for programs, `text` for people, `subject` a line of at most 100 characters."""

    id: str
    topic: str
    """Messages of the same topic must arrive in order."""
    subject: str
    text: str
    document: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        """Give the document as it is sent and signed."""
        return json.dumps(self.document, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One attempt to bring a message to a channel."""

    message: Message
    channel: Channel
    channel_id: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a channel did not take a message. `wait_seconds` is what the receiver asked for."""

    reason: str
    message: str
    wait_seconds: float = 0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How an attempt ended; it counts once it is in the status."""

    message_id: str
    channel_id: str
    attempt: int
    at: datetime
    failure: Failure | None = None


def message_id(resource: Resource, breach: Breach, occasion: Occasion) -> str:
    """Name what is said: the same for the same breach of the same resource, whoever says it and how often."""
    parts = (resource.uid, breach.promise, breach.slot or "", breach.since, occasion)
    return names.digest(*parts, length=32)


def message_of(resource: Resource, breach: Breach, occasion: Occasion, environment: str) -> Message:
    """Write down what there is to say."""
    where = f" of {environment}" if environment else ""
    who = f"{resource.kind} {resource.namespace}/{resource.name}{where}"
    does = "breaks its SLA" if occasion is Occasion.BREACHED else "keeps its SLA again"
    said = sentence(breach, occasion)
    return Message(
        id=message_id(resource, breach, occasion),
        topic=resource.uid,
        subject=_shortened(f"{resource.namespace}/{resource.name} {does}: {breach.reason}"),
        text=f"*{who}* {does}: {said}\n`{_command(resource)}`",
        document=_document(resource, breach, occasion, environment),
    )


def sentence(breach: Breach, occasion: Occasion) -> str:
    """Say what happened; true whenever it is read."""
    if occasion is Occasion.BREACHED:
        return f"{breach.reason} since {breach.since}: {what_is_wrong(breach)}"
    return f"{breach.reason} is over; it lasted from {breach.since} to {breach.until}"


def _document(resource: Resource, breach: Breach, occasion: Occasion, environment: str) -> dict[str, Any]:
    """Give the payload in the form of Standard Webhooks: type, timestamp, data."""
    data = {
        "environment": environment or None,
        "kind": resource.kind,
        "namespace": resource.namespace,
        "name": resource.name,
        "uid": resource.uid,
        "promise": str(breach.promise),
        "limit": breach.limit,
        "reason": breach.reason,
        "slot": breach.slot,
        "since": breach.since,
        "until": breach.until if occasion is Occasion.RECOVERED else None,
        "message": sentence(breach, occasion),
        "command": _command(resource),
    }
    return {
        "type": f"lakehouse.sla.{occasion}",
        "timestamp": breach.since if occasion is Occasion.BREACHED else breach.until,
        "data": {key: value for key, value in data.items() if value is not None},
    }


def _command(resource: Resource) -> str:
    return f"kubectl -n {resource.namespace} describe {resource.kind.lower()} {resource.name}"


def _shortened(line: str, limit: int = 100) -> str:
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
