"""Application events for a topic, the same every time, with the mess of reality and the exact count of it.

Every defect hits its own messages, so the counts add up.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

TOPIC: Final = "app.events"
COUNT: Final = 1000
_SEED: Final = 20261124
_TYPES: Final = ("order.placed", "order.paid", "cart.item_added", "user.signed_in", "job.finished")
_CITIES: Final = ("Köln", "Łódź", "São Paulo", "東京")

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as it is written: the key says whom it is about; no value deletes the key."""

    key: str
    value: str | None


@dataclass(frozen=True, kw_only=True)
class Defect:
    """A kind of mess: what it does to an event, and how the quarantine names it; None: the contract takes it."""

    spoil: Callable[[Event], str | None]
    refusal: str | None


def _with(**changes: Any) -> Callable[[Event], str | None]:
    return lambda event: _text(event | changes)


def _without(name: str) -> Callable[[Event], str | None]:
    return lambda event: _text({key: value for key, value in event.items() if key != name})


def _text(event: Event) -> str:
    return json.dumps(event, ensure_ascii=False)


DEFECTS: Final[Mapping[str, Defect]] = {
    "noJson": Defect(spoil=lambda event: f"event {event['event_id']}", refusal=" Malformed"),
    "cutShort": Defect(spoil=lambda event: _text(event)[:-9], refusal=" Malformed"),
    "trailing": Defect(spoil=lambda event: f"{_text(event)} {{}}", refusal=" Malformed"),
    "tombstone": Defect(spoil=lambda _: None, refusal=" Tombstone"),
    "noId": Defect(spoil=_without("event_id"), refusal="/event_id required"),
    "oldType": Defect(spoil=_with(event_type="OrderPlaced"), refusal="/event_type pattern"),
    "textVersion": Defect(spoil=_with(event_version="1"), refusal="/event_version type"),
    "noTime": Defect(spoil=_with(occurred_at="yesterday"), refusal="/occurred_at format"),
    "noQuantity": Defect(spoil=_with(items=[{"sku": "AB-1", "quantity": 0}]), refusal="/items/0/quantity minimum"),
    "unknownKind": Defect(spoil=_with(actor={"id": "u1", "kind": "robot"}), refusal="/actor/kind enum"),
    "doubleTags": Defect(spoil=_with(tags=["a", "a"]), refusal="/tags uniqueItems"),
    "moreMembers": Defect(spoil=_with(region="eu"), refusal=None),
    "spaced": Defect(spoil=lambda event: f"  {json.dumps(event, indent=1)}".replace("\n", " "), refusal=None),
}


@dataclass(frozen=True, kw_only=True)
class Events:
    """All messages, and how many of them the contract takes and refuses, the latter by reason."""

    messages: tuple[Message, ...]
    accepted: int
    refusals: Mapping[str, int]

    @property
    def refused(self) -> int:
        """Count the messages that the contract refuses."""
        return sum(self.refusals.values())


def events(count: int = COUNT) -> Events:
    """Make `count` messages, every twentieth with a defect, each kind in turn."""
    random = Random(_SEED)
    kinds = list(DEFECTS.values())
    messages: list[Message] = []
    refusals: dict[str, int] = {}
    for number in range(count):
        event = _event(random, number)
        defect = kinds[number // 20 % len(kinds)] if number % 20 == 19 else None  # noqa: PLR2004 (said above)
        messages.append(Message(key=f"user-{number % 97}", value=defect.spoil(event) if defect else _text(event)))
        if defect and defect.refusal:
            refusals[defect.refusal] = refusals.get(defect.refusal, 0) + 1
    return Events(messages=tuple(messages), accepted=count - sum(refusals.values()), refusals=refusals)


def _event(random: Random, number: int) -> Event:
    return {
        "event_id": str(UUID(int=random.getrandbits(128), version=4)),
        "event_type": random.choice(_TYPES),
        "event_version": 1,
        "occurred_at": f"2026-11-23T{number // 100 % 24:02}:{number % 60:02}:{random.randrange(60):02}.5Z",
        "source": random.choice(("web", "app", None)),
        "actor": _actor(random, number),
        "items": list(_items(random)),
        "tags": random.sample(["new", "gift", "b2b", "retry"], random.randrange(3)),
        "attributes": {"page": f"/p/{number}"},
    }


def _actor(random: Random, number: int) -> Event:
    actor = {"id": f"user-{number % 97}", "kind": random.choice(("user", "service", "job"))}
    return actor | {"address": {"country": "DE", "city": random.choice(_CITIES)}}


def _items(random: Random) -> Iterator[Event]:
    for _ in range(random.randrange(4)):
        price = random.randrange(1, 100_000) / 100
        yield {"sku": f"AB-{random.randrange(1, 999)}", "quantity": random.randrange(1, 9), "unit_price": price}
