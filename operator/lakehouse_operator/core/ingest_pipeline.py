"""IngestPipeline: when the next batch runs, with which contract, and how the last one ended."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from lakehouse_api.annotations import REREAD
from lakehouse_api.ingest_pipeline import IngestPipelineSpec, IngestPipelineStatus
from lakehouse_api.quantities import format_duration
from lakehouse_api.schedule import Scheduled
from lakehouse_api.status import Outcome, RunRecord
from lakehouse_api.target import Target
from lakehouse_operator.core import standing
from lakehouse_operator.core.backfill import keep_backfill, notice
from lakehouse_operator.core.catalog import news_of, standing_of
from lakehouse_operator.core.checks import not_allowed, schedule_of, spark_violation
from lakehouse_operator.core.conditions import STALLED, merge
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.contracts import in_force, schema_violation, version_of
from lakehouse_operator.core.drivers import read_driver
from lakehouse_operator.core.ingest_run import ingest_launch
from lakehouse_operator.core.instants import parse_time
from lakehouse_operator.core.names import document_hash
from lakehouse_operator.core.notices import Delivery
from lakehouse_operator.core.plan import Event, EventType, Plan, Refusal
from lakehouse_operator.core.promises import Promised, overseen
from lakehouse_operator.core.quarantine import request_violation
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.scene import Scene, Turn
from lakehouse_operator.core.schedule import Schedule
from lakehouse_operator.core.secrets import credentials_violation
from lakehouse_operator.core.settle import settle
from lakehouse_operator.core.sharing import Filler, sharing_violation
from lakehouse_operator.core.slots import Slot
from lakehouse_operator.core.sources import source_violation
from lakehouse_operator.core.specs import invalid_spec
from lakehouse_operator.core.standing import Violation
from lakehouse_operator.core.turns import hold, refuse, take_turn

_RUN_PREFIX = "ing"
_RUN_FIELDS = {"source", "incremental", "contract", "target", "spark"}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a reconcile of a pipeline depends on beside the pipeline itself."""

    drivers: tuple[Mapping[str, Any], ...] = ()
    """The driver Pods that the pipeline owns, those being deleted included."""
    contract: Mapping[str, Any] | None = None
    """The DataContract that spec.contract.ref names."""
    room: bool = True
    """Whether one more run may be active now."""
    missing: frozenset[str] = frozenset()
    """Names of driver Pods in status.active that a live look-up did not find."""
    fillers: tuple[Filler, ...] = ()
    """The pipelines that fill the same tables, this one included."""
    deliveries: tuple[Delivery, ...] = ()
    """How messages ended of which the status may not know yet."""


def reconcile(resource: Resource, seen: Seen, now: datetime, config: Config) -> Plan:
    """Decide the next step of a pipeline."""
    spec = _read_spec(resource)
    scene = _scene(resource, spec, seen, now)
    return _overseen(_decide(scene, spec, seen, config), scene, spec, seen, config)


def _decide(scene: Scene, spec: IngestPipelineSpec | Violation, seen: Seen, config: Config) -> Plan:
    """Decide, knowing of a backfill before a slice of it is settled: the operator may have died before it said so."""
    if isinstance(spec, Violation):
        return _decided(scene, spec, seen, config)
    noticed = notice(scene, spec)
    plan = _decided(noticed.scene, spec, seen, config)
    return replace(plan, events=(*noticed.events, *plan.events))


def _decided(scene: Scene, spec: IngestPipelineSpec | Violation, seen: Seen, config: Config) -> Plan:
    if (settled := settle(scene)) is not None:
        return _plan(scene, _kept(settled, scene), standing.of_scene)
    if isinstance(spec, Violation):
        return _stalled(scene, spec)
    violation = _violation(spec, scene.resource, seen, config) or request_violation(scene)
    if violation is not None:
        return _stalled(scene, violation)
    turn = take_turn(scene)
    plan = _plan(scene, _described(turn, spec, seen), standing.of_scene)
    if turn.start is None:
        return plan
    launch = ingest_launch(scene, spec, turn.start, _schema(spec, seen) or {}, config)
    return replace(plan, launch=launch)


def refused(resource: Resource, seen: Seen, now: datetime, config: Config, refusal: Refusal) -> Plan:
    """Take note that the attempt that `reconcile` wanted could not be created."""
    spec = _read_spec(resource)
    scene = _scene(resource, spec, seen, now)
    scene = scene if isinstance(spec, Violation) else notice(scene, spec).scene
    start = take_turn(scene).start
    if start is None:
        return reconcile(resource, seen, now, config)
    plan = _plan(scene, _kept(refuse(scene, start, refusal), scene), standing.of_scene)
    return _overseen(plan, scene, spec, seen, config)


# --- understanding the pipeline ------------------------------------------------------------------------------------


def _read_spec(resource: Resource) -> IngestPipelineSpec | Violation:
    try:
        return IngestPipelineSpec.model_validate(resource.spec)
    except ValidationError as error:
        return invalid_spec(error)


def _scene(resource: Resource, spec: IngestPipelineSpec | Violation, seen: Seen, now: datetime) -> Scene:
    schedule = None if isinstance(spec, Violation) else schedule_of(spec)
    return Scene(
        resource=resource,
        run_prefix=_RUN_PREFIX,
        spec=Scheduled() if isinstance(spec, Violation) else spec,
        spec_hash=_spec_hash(resource),
        schedule=schedule if isinstance(schedule, Schedule) else None,
        status=IngestPipelineStatus.model_validate(resource.status, extra="ignore"),
        drivers=tuple(read_driver(pod, now) for pod in seen.drivers),
        missing=seen.missing,
        room=seen.room,
        now=now,
    )


def _spec_hash(resource: Resource) -> str:
    """Hash what a run depends on; asking for a re-read is asking for another run.

    A field that is not written is left out, so that a new field of the API changes no hash.
    """
    relevant = {key: resource.spec[key] for key in sorted(_RUN_FIELDS) if key in resource.spec}
    reread = resource.annotations.get(REREAD)
    return document_hash({**relevant, **({"reread": reread} if reread else {})}, length=12)


def _violation(spec: IngestPipelineSpec, resource: Resource, seen: Seen, config: Config) -> Violation | None:
    """The first thing that keeps the pipeline from running."""
    schedule, namespace = schedule_of(spec), resource.namespace
    if isinstance(schedule, Violation):
        return schedule
    return (
        _target_violation(spec.target, namespace, config)
        or source_violation(spec.source, config, namespace)
        or credentials_violation(spec, config, namespace)
        or _reference_violation(spec, config, namespace)
        or spark_violation(spec.spark, config, namespace)
        or _contract_violation(spec, seen)
        or sharing_violation(namespace, resource.name, seen.fillers)
    )


def _reference_violation(spec: IngestPipelineSpec, config: Config, namespace: str) -> Violation | None:
    """The first expectation that refers to a table the namespace may not use."""
    checks = (
        not_allowed(
            config, namespace, "tables", f"spec.contract.expectations[{place}].reference.table", one.reference.table
        )
        for place, one in enumerate(spec.contract.expectations)
        if one.reference
    )
    return next((violation for violation in checks if violation), None)


def _target_violation(target: Target, namespace: str, config: Config) -> Violation | None:
    violation = not_allowed(config, namespace, "tables", "spec.target.table", target.table)
    if violation or not (target.merge and target.merge.into):
        return violation
    return not_allowed(config, namespace, "tables", "spec.target.merge.into", target.merge.into)


def _contract_violation(spec: IngestPipelineSpec, seen: Seen) -> Violation | None:
    schema = _schema(spec, seen)
    if schema is None:
        return Violation(
            reason="ContractMissing",
            message=f"spec.contract.ref: there is no DataContract {spec.contract.ref!r} in this namespace; create it",
        )
    return schema_violation(schema)


def _schema(spec: IngestPipelineSpec, seen: Seen) -> Mapping[str, Any] | None:
    if spec.contract.ref is None:
        return spec.contract.schema_
    return in_force(seen.contract)


# --- the status ----------------------------------------------------------------------------------------------------


def _described(turn: Turn, spec: IngestPipelineSpec, seen: Seen) -> Turn:
    update: dict[str, Any] = {"source": spec.source.chosen.label}
    if turn.start:
        update["contract_version"] = version_of(_schema(spec, seen) or {})
    return replace(turn, status=turn.status.model_copy(update=update))


def _kept(turn: Turn, scene: Scene) -> Turn:
    """Take what ended runs did into the status."""
    return keep_backfill(_keep_rows(turn), scene)


def _keep_rows(turn: Turn) -> Turn:
    """Copy what the newest successful run that read the source moved to where the columns of `kubectl get` look."""
    read = [record for record in turn.settled if Slot(text=record.slot).reads_new]
    done = [record for record in read if record.outcome is Outcome.SUCCEEDED]
    if not done:
        return turn
    metrics = done[-1].metrics
    update = {
        "last_rows": metrics.get("rowsWritten"),
        "last_quarantined": metrics.get("rowsQuarantined"),
        "lag": _lag(done[-1]) or getattr(turn.status, "lag", None),
    }
    return replace(turn, status=turn.status.model_copy(update=update))


def _lag(record: RunRecord) -> str | None:
    newest = record.metrics.get("newestInputTime")
    if not isinstance(newest, str):
        return None
    age = max(parse_time(record.finished_at) - parse_time(newest), timedelta())
    return format_duration(timedelta(seconds=int(age.total_seconds())))


def _overseen(plan: Plan, scene: Scene, spec: IngestPipelineSpec | Violation, seen: Seen, config: Config) -> Plan:
    """Add what spec.sla and spec.notify ask for; of a spec that cannot be read nobody knows what it promises."""
    if isinstance(spec, Violation):
        return plan
    promised = Promised(
        resource=scene.resource,
        sla=spec.sla,
        notify=spec.notify,
        suspended=spec.suspend,
        deliveries=seen.deliveries,
        config=config,
        now=scene.now,
    )
    return overseen(plan, promised)


def _plan(scene: Scene, turn: Turn, judge: standing.Judge) -> Plan:
    after = replace(scene, status=turn.status)
    known, entries = scene.status.conditions, standing_of(after.status)
    conditions = merge(known, [*judge(after), *entries], generation=scene.resource.generation, now=scene.now)
    status = turn.status.model_copy(update={"conditions": conditions, "observed_generation": scene.resource.generation})
    return Plan(
        stop=turn.stop,
        status=status.told(),
        release=turn.release,
        prune=turn.prune,
        events=(*turn.events, *news_of(known, entries)),
        requeue_after=max(turn.requeue_at - scene.now, timedelta()) if turn.requeue_at else None,
    )


def _stalled(scene: Scene, violation: Violation) -> Plan:
    turn = hold(scene)
    known = any(c.type == STALLED and c.reason == violation.reason for c in scene.status.conditions)
    event = Event(type=EventType.WARNING, reason=violation.reason, message=violation.message)
    turn = turn if known else replace(turn, events=(*turn.events, event))
    return _plan(scene, turn, lambda _: standing.of_violation(violation))
