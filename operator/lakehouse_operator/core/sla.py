"""Whether a resource keeps its promises, from its status and the clock alone: a run that never starts is late as well.

A breach opens at the instant its limit was passed, not when somebody noticed, so that whoever looks finds the same one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lakehouse_api.quantities import format_duration
from lakehouse_api.sla import Breach, Promise, RunningSlot, Sla, SlaStatus
from lakehouse_api.status import Outcome, RunRecord, RunStatus
from lakehouse_operator.core.conditions import SLA_MET, Judgement, sla_met
from lakehouse_operator.core.instants import format_time, parse_time
from lakehouse_operator.core.slots import Slot

SUSPENDED = "Suspended"
_REASONS = {Promise.FRESHNESS: "FreshnessExceeded", Promise.MAX_DURATION: "DurationExceeded"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a judgement depends on. `run` is the status as it will be stored, `known` what is known of the promises."""

    sla: Sla | None
    suspended: bool
    created: datetime
    run: RunStatus
    known: SlaStatus
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is known now, what it comes to, and when a limit is passed if nothing happens until then."""

    status: SlaStatus
    judgement: Judgement | None = None
    due: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One promise at work. A breach that is open ends only before `passes`; a new one begins at `opens`."""

    promise: Promise
    slot: str | None
    text: str
    passes: datetime
    opens: datetime


def judge(facts: Facts) -> Judged:
    """Bring what is known of the promises up to now."""
    if facts.sla is None:
        return Judged(status=_withdrawn(facts))
    if facts.suspended:
        return Judged(
            status=facts.known, judgement=sla_met("Unknown", reason=SUSPENDED, message="the resource is suspended")
        )
    known = _recall(facts, facts.sla)
    limits = _limits(facts, facts.sla, known)
    kept = [one if _still_broken(one, limits, facts.now) else _ended(one, facts.now) for one in known.breaches]
    broken = {(one.promise, one.slot) for one in kept if one.until is None}
    waiting = [limit for limit in limits if (limit.promise, limit.slot) not in broken]
    known = _with_breaches(known, facts, kept)
    breaches = [*kept, *(_opened(limit, known) for limit in waiting if limit.opens <= facts.now)]
    return Judged(
        status=known.model_copy(update={"breaches": breaches}),
        judgement=_judgement(breaches),
        due=min((limit.opens for limit in waiting if limit.opens > facts.now), default=None),
    )


def _withdrawn(facts: Facts) -> SlaStatus:
    """Keep only what has to be told still."""
    left = SlaStatus(undelivered=facts.known.undelivered)
    return _with_breaches(left, facts, [_ended(one, facts.now) for one in facts.known.breaches])


# --- what is known ---------------------------------------------------------------------------------------------------


def _recall(facts: Facts, sla: Sla) -> SlaStatus:
    resumed = any(one.type == SLA_MET and one.reason == SUSPENDED for one in facts.run.conditions)
    update = {
        "fresh_as_of": _fresh_as_of(facts) if sla.freshness else None,
        "running": _running(facts) if sla.max_duration else None,
        "judged_since": format_time(facts.now) if resumed else facts.known.judged_since or _made(facts),
    }
    return facts.known.model_copy(update=update)


def _made(facts: Facts) -> str:
    """Give when the promises were made: with the resource, if nobody has looked at it before."""
    return format_time(facts.created if facts.run.observed_generation < 0 else facts.now)


def _fresh_as_of(facts: Facts) -> str | None:
    """Give up to when the table is known to hold what its source had; it never goes back."""
    records = (facts.run.last_run, *facts.run.history)
    told = [_proves(record) for record in records if record and _reads(record)]
    before = facts.known.fresh_as_of
    known = [*told, *([parse_time(before)] if before else [])]
    if known:
        return format_time(max(known))
    return facts.run.last_success_time


def _reads(record: RunRecord) -> bool:
    return record.outcome is Outcome.SUCCEEDED and Slot(text=record.slot).reads_new


def _proves(record: RunRecord) -> datetime:
    """Give the instant up to which a successful run shows the table complete.

    A run that read rows shows it up to the newest of its inputs; one that found nothing new, up to when it looked.
    """
    looked = parse_time(record.started_at or record.finished_at)
    newest = _instant(record.metrics.get("newestInputTime"))
    if newest is None or record.metrics.get("rowsRead") == 0:
        return looked
    return min(newest, parse_time(record.finished_at))  # a source whose clock is ahead must not buy time


def _instant(text: object) -> datetime | None:
    try:
        return parse_time(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _running(facts: Facts) -> RunningSlot | None:
    """Give the run that is under way, all of its attempts as one."""
    run, before = facts.run, facts.known.running
    active = run.active[0] if run.active else None
    slot = active.slot if active else run.retry.slot if run.retry else None
    if slot is None or Slot(text=slot).slice_:
        return None
    if before and before.slot == slot:
        return before
    return RunningSlot(slot=slot, since=active.started_at if active else format_time(facts.now))


# --- what it comes to ------------------------------------------------------------------------------------------------


def _limits(facts: Facts, sla: Sla, known: SlaStatus) -> list[Limit]:
    limits = []
    if sla.freshness:
        base = max(facts.created, parse_time(known.fresh_as_of)) if known.fresh_as_of else facts.created
        limits.append(_limit(Promise.FRESHNESS, None, base, sla.freshness, known))
    if sla.max_duration and known.running:
        base = parse_time(known.running.since)
        limits.append(_limit(Promise.MAX_DURATION, known.running.slot, base, sla.max_duration, known))
    return limits


def _limit(promise: Promise, slot: str | None, base: datetime, limit: timedelta, known: SlaStatus) -> Limit:
    """Count from the base; no breach begins for what happened before anybody judged."""
    start = max(base, parse_time(known.judged_since)) if known.judged_since else base
    text = format_duration(limit)
    return Limit(promise=promise, slot=slot, text=text, passes=base + limit, opens=start + limit)


def _with_breaches(known: SlaStatus, facts: Facts, breaches: list[Breach]) -> SlaStatus:
    """Remember when a breach last ended, for the next one is another one and begins later."""
    ended = (one.until for one in (*breaches, *facts.known.breaches) if one.until)
    last = max(ended, default=facts.known.last_recovery_time)
    return known.model_copy(update={"breaches": breaches, "last_recovery_time": last})


def _still_broken(breach: Breach, limits: Iterable[Limit], now: datetime) -> bool:
    return any(one.promise is breach.promise and one.slot == breach.slot and one.passes <= now for one in limits)


def _ended(breach: Breach, now: datetime) -> Breach:
    return breach if breach.until else breach.model_copy(update={"until": format_time(now)})


def _opened(limit: Limit, known: SlaStatus) -> Breach:
    """Begin a breach when the limit was passed; where a limit was made shorter, after the last breach was over."""
    reason = _REASONS[limit.promise]
    last = known.last_recovery_time
    since = max(limit.opens, parse_time(last) + timedelta(seconds=1)) if last else limit.opens
    return Breach(promise=limit.promise, reason=reason, slot=limit.slot, limit=limit.text, since=format_time(since))


def _judgement(breaches: Iterable[Breach]) -> Judgement:
    """Give the condition; of two broken promises freshness gives the reason, and the message tells of both."""
    broken = sorted((one for one in breaches if one.until is None), key=lambda one: one.promise)
    if not broken:
        return sla_met("True", reason="Met", message="the promises of spec.sla are kept")
    return sla_met("False", reason=broken[0].reason, message="; ".join(map(what_is_wrong, broken)))


def what_is_wrong(breach: Breach) -> str:
    """Say in a sentence which promise is broken; the same sentence as long as it is."""
    if breach.promise is Promise.FRESHNESS:
        return f"nothing has shown the table to be up to date within the last {breach.limit} (spec.sla.freshness)"
    return f"the run of {breach.slot} has taken longer than {breach.limit} (spec.sla.maxDuration)"
