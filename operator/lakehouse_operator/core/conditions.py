"""Conditions in the sense of kstatus: Ready always, Reconciling and Stalled only while true.

A condition does not flap: its time moves only when its status does, its message holds no times and no counters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lakehouse_api.status import Condition
from lakehouse_operator.core.instants import format_time

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"
SLA_MET = "SLAMet"
COMPATIBLE = "Compatible"
REGISTERED = "Registered"
_ORDER = (READY, RECONCILING, STALLED, SLA_MET, REGISTERED, COMPATIBLE)
_MESSAGE_LIMIT = 1024


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A condition before it is known when it last changed."""

    type: str
    status: str
    reason: str
    message: str


def ready(reason: str, message: str) -> Judgement:
    """The last finished run ended well, or the resource can be used."""
    return Judgement(type=READY, status="True", reason=reason, message=message)


def not_ready(reason: str, message: str) -> Judgement:
    """The last finished run failed, or the resource cannot be used."""
    return Judgement(type=READY, status="False", reason=reason, message=message)


def unproven(reason: str, message: str) -> Judgement:
    """Nothing has ended yet that could tell."""
    return Judgement(type=READY, status="Unknown", reason=reason, message=message)


def reconciling(reason: str, message: str) -> Judgement:
    """A new generation has not been proven by a run yet, or a failed run is being tried again."""
    return Judgement(type=RECONCILING, status="True", reason=reason, message=message)


def stalled(reason: str, message: str) -> Judgement:
    """Nothing will happen until a person changes something."""
    return Judgement(type=STALLED, status="True", reason=reason, message=message)


def sla_met(status: str, reason: str, message: str) -> Judgement:
    """Tell whether what a resource promises of its runs is kept; Unknown while nobody judges it."""
    return Judgement(type=SLA_MET, status=status, reason=reason, message=message)


def registered(status: str, reason: str, message: str) -> Judgement:
    """Tell whether the catalogue tells of the tables as they are."""
    return Judgement(type=REGISTERED, status=status, reason=reason, message=message)


def compatible(status: str, reason: str, message: str) -> Judgement:
    """Tell whether the schema in the spec keeps what the contract promised; Unknown if nobody can tell."""
    return Judgement(type=COMPATIBLE, status=status, reason=reason, message=message)


def merge(
    old: Iterable[Condition], judgements: Iterable[Judgement], *, generation: int, now: datetime
) -> list[Condition]:
    """Give the conditions to store, in a fixed order; what is not judged any more is gone."""
    before = {condition.type: condition for condition in old}
    judged = sorted(judgements, key=lambda judgement: _ORDER.index(judgement.type))
    return [_condition(before.get(one.type), one, generation, now) for one in judged]


def _condition(before: Condition | None, judgement: Judgement, generation: int, now: datetime) -> Condition:
    unchanged = before is not None and before.status == judgement.status
    return Condition(
        type=judgement.type,
        status=judgement.status,
        reason=judgement.reason,
        message=judgement.message[:_MESSAGE_LIMIT],
        observed_generation=generation,
        last_transition_time=before.last_transition_time if before and unchanged else format_time(now),
    )
