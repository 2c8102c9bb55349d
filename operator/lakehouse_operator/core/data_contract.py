"""DataContract: is the schema usable, which version of it do pipelines use, and who are they.

A change that breaks what the contract promises is not taken up while pipelines use the contract: they stay on the
accepted version until the spec names the new one in `acceptBreaking`. Comparing versions is no business of this module:
a schema can be made to be slow, so whoever observes asks a process of its own (`question`) and hands in the verdict.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from lakehouse_api.data_contract import (
    MOST_CHANGES,
    MOST_CONSUMERS,
    MOST_VERSIONS,
    AcceptedVersion,
    Compatibility,
    Consumer,
    ContractVersion,
    DataContractSpec,
    DataContractStatus,
    ProposedVersion,
    VersionVerdict,
)
from lakehouse_operator.core import standing
from lakehouse_operator.core.compatibility_verdict import Outcome, Verdict
from lakehouse_operator.core.conditions import Judgement, compatible, merge, ready
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.contracts import schema_violation, version_of
from lakehouse_operator.core.instants import format_time
from lakehouse_operator.core.plan import Event, EventType, Plan
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.specs import invalid_spec
from lakehouse_operator.core.standing import Violation

ASK_AGAIN: Final = timedelta(seconds=2)
_LONGEST_CHANGE: Final = 200
_LONGEST_SUMMARY: Final = 900
_SAYINGS: Final = {
    VersionVerdict.FIRST: "the first version",
    VersionVerdict.COMPATIBLE: "the change keeps what the contract promises",
    VersionVerdict.NOT_IN_USE: "the change breaks what the contract promises; no pipeline used it",
    VersionVerdict.NOT_COMPARED: "the contract promises nothing about changes",
    VersionVerdict.BREAKING_ACCEPTED: "the change breaks what the contract promised; spec.acceptBreaking names it",
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """Two versions to compare."""

    old: dict[str, Any]
    new: dict[str, Any]
    mode: Compatibility


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a contract depends on beside itself."""

    consumers: tuple[Consumer, ...] = ()
    """The pipelines that name it, and what they last ran with; sorted."""
    verdict: Verdict | None = None
    """The answer to the question, None if there was none or it is not answered yet."""


@dataclass(frozen=True, kw_only=True)
class _Turn:
    """What becomes of the versions, and why."""

    accepted: AcceptedVersion
    verdict: VersionVerdict
    proposed: ProposedVersion | None = None
    changes: tuple[str, ...] = ()


def question(resource: Resource) -> Question | None:
    """Tell what has to be compared before the contract can be judged."""
    spec, old = _read_spec(resource), _status(resource)
    if isinstance(spec, Violation) or schema_violation(spec.schema_) or old.accepted is None:
        return None
    version = version_of(spec.schema_)
    if version == old.accepted.version or spec.compatibility is Compatibility.NONE:
        return None
    known = _known(spec, version, old)
    if known and (known.proven or old.observed_generation == resource.generation):
        return None
    return Question(old=old.accepted.schema_, new=spec.schema_, mode=spec.compatibility)


def reconcile(resource: Resource, seen: Seen, now: datetime, config: Config) -> Plan:  # noqa: ARG001  # every kind's
    """Judge the schema, and take it up unless that would break what its users rely on."""
    spec, old = _read_spec(resource), _status(resource)
    if isinstance(spec, Violation):
        return _stalled(resource, old, seen, spec, now)
    if (violation := schema_violation(spec.schema_)) is not None:
        return _stalled(resource, old, seen, violation, now)
    if seen.verdict is None and question(resource) is not None:
        return Plan(requeue_after=ASK_AGAIN)
    return _plan(resource, old, seen, _turn(spec, old, seen, now), now)


def _read_spec(resource: Resource) -> DataContractSpec | Violation:
    try:
        return DataContractSpec.model_validate(resource.spec)
    except ValidationError as error:
        return invalid_spec(error)


def _status(resource: Resource) -> DataContractStatus:
    return DataContractStatus.model_validate(resource.status, extra="ignore")


# --- which version counts ------------------------------------------------------------------------------------------


def _turn(spec: DataContractSpec, old: DataContractStatus, seen: Seen, now: datetime) -> _Turn:
    version = version_of(spec.schema_)
    if old.accepted and old.accepted.version == version:
        return _Turn(accepted=old.accepted, verdict=_remembered(old, version))
    new = AcceptedVersion(version=version, schema_=spec.schema_, accepted_at=format_time(now))
    if old.accepted is None:
        return _Turn(accepted=new, verdict=VersionVerdict.FIRST)
    if spec.compatibility is Compatibility.NONE:
        return _Turn(accepted=new, verdict=VersionVerdict.NOT_COMPARED)
    if seen.verdict and seen.verdict.outcome is Outcome.COMPATIBLE:
        return _Turn(accepted=new, verdict=VersionVerdict.COMPATIBLE, changes=_changes(seen.verdict))
    proposed = _proposed(seen.verdict, version, old.accepted) if seen.verdict else old.proposed
    if proposed is None:
        raise ValueError("an unknown version is only judged with a verdict")
    verdict = _verdict_on_a_break(spec, seen, proposed)
    changes = tuple(proposed.changes)
    if verdict.taken_up:
        return _Turn(accepted=new, verdict=verdict, changes=changes)
    return _Turn(accepted=old.accepted, verdict=verdict, proposed=proposed, changes=changes)


def _verdict_on_a_break(spec: DataContractSpec, seen: Seen, proposed: ProposedVersion) -> VersionVerdict:
    if not seen.consumers:
        return VersionVerdict.NOT_IN_USE
    if spec.accept_breaking == proposed.version:
        return VersionVerdict.BREAKING_ACCEPTED
    return VersionVerdict.BREAKING if proposed.proven else VersionVerdict.UNKNOWN


def _known(spec: DataContractSpec, version: str, old: DataContractStatus) -> ProposedVersion | None:
    """Give what was found out about this very change before."""
    known = old.proposed
    if known is None or old.accepted is None:
        return None
    same = (known.version, known.against, known.mode) == (version, old.accepted.version, spec.compatibility)
    return known if same else None


def _remembered(old: DataContractStatus, version: str) -> VersionVerdict:
    """Give the verdict by which the accepted version was taken up."""
    found = (one.verdict for one in old.versions if one.version == version and one.verdict.taken_up)
    return next(found, VersionVerdict.COMPATIBLE)


def _proposed(verdict: Verdict, version: str, accepted: AcceptedVersion) -> ProposedVersion:
    return ProposedVersion(
        version=version,
        against=accepted.version,
        mode=verdict.mode,
        proven=verdict.outcome is Outcome.BREAKING,
        summary=verdict.summary[:_LONGEST_SUMMARY],
        changes=list(_changes(verdict)),
    )


def _changes(verdict: Verdict) -> tuple[str, ...]:
    told = [f"{one.path or '/'}: {one.explanation}"[:_LONGEST_CHANGE] for one in (*verdict.guilty, *verdict.harmless)]
    more = len(told) - MOST_CHANGES
    return (*told[:MOST_CHANGES], *([f"and {more} more"] if more > 0 else []))


# --- the status ----------------------------------------------------------------------------------------------------


def _plan(resource: Resource, old: DataContractStatus, seen: Seen, turn: _Turn, now: datetime) -> Plan:
    version = turn.proposed.version if turn.proposed else turn.accepted.version
    newest = old.versions[0] if old.versions else None
    news = newest is None or (newest.version, newest.verdict) != (version, turn.verdict)
    if news and version == (old.accepted.version if old.accepted else None):
        news = False  # the spec has gone back to what is in force
    entry = ContractVersion(version=version, time=format_time(now), verdict=turn.verdict, changes=list(turn.changes))
    status = DataContractStatus(
        observed_generation=resource.generation,
        conditions=merge(old.conditions, _judgements(turn), generation=resource.generation, now=now),
        version=version,
        accepted=turn.accepted,
        proposed=turn.proposed,
        versions=_with(old.versions, entry) if news else old.versions,
        **_used(seen),
    )
    return Plan(status=status.told(), events=(_event(turn, version),) if news else ())


def _with(versions: list[ContractVersion], entry: ContractVersion) -> list[ContractVersion]:
    """Put an entry on top; another verdict on the version on top takes its place."""
    rest = versions[1:] if versions and versions[0].version == entry.version else versions
    return [entry, *rest][:MOST_VERSIONS]


def _used(seen: Seen) -> dict[str, Any]:
    return {"consumers": list(seen.consumers[:MOST_CONSUMERS]), "used_by": len(seen.consumers)}


def _judgements(turn: _Turn) -> list[Judgement]:
    if turn.proposed is None:
        version = f"version {turn.accepted.version}: {_SAYINGS[turn.verdict]}"
        return [ready("Valid", "the schema can be enforced"), compatible("True", turn.verdict, version)]
    violation = Violation(reason=turn.verdict, message=_not_taken_up(turn, turn.proposed))
    status = "False" if turn.proposed.proven else "Unknown"
    told = f"{violation.message} {turn.proposed.summary}".strip()
    return [*standing.of_violation(violation), compatible(status, turn.verdict, told)]


def _not_taken_up(turn: _Turn, proposed: ProposedVersion) -> str:
    what = "breaks" if proposed.proven else "may break (it could not be proven)"
    return (
        f"version {proposed.version} {what} what {proposed.mode} promises and is not taken up: "
        f"pipelines stay on {turn.accepted.version}, until spec.acceptBreaking is {proposed.version}."
    )


def _event(turn: _Turn, version: str) -> Event:
    if turn.proposed is not None:
        return Event(type=EventType.WARNING, reason=turn.verdict, message=_not_taken_up(turn, turn.proposed))
    message = f"Took up version {version}: {_SAYINGS[turn.verdict]}"
    return Event(type=EventType.NORMAL, reason="VersionAccepted", message=message)


def _stalled(resource: Resource, old: DataContractStatus, seen: Seen, violation: Violation, now: datetime) -> Plan:
    """A schema that nobody can enforce changes nothing about the one in force."""
    judged = standing.of_violation(violation)
    update = {
        "observed_generation": resource.generation,
        "conditions": merge(old.conditions, judged, generation=resource.generation, now=now),
        "version": None,
        "proposed": None,
        **_used(seen),
    }
    return Plan(status=old.model_copy(update=update).told())
