"""The ingest job from run.json's values to a result: finish what is open, read what is new, once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql.types import StructField, StructType

from lakehouse_api.quarantine import QuarantineRequest, Verb
from lakehouse_api.run import RunResult, RunSpec
from lakehouse_jobs.contract.columns import column_type
from lakehouse_jobs.contract.schema import Contract, ContractError, read_contract
from lakehouse_jobs.failures import failure_of, spec_wrong, unavailable
from lakehouse_jobs.ingest.backfill import on_backfill
from lakehouse_jobs.ingest.batch import execute, with_versions
from lakehouse_jobs.ingest.drift import widens_types
from lakehouse_jobs.ingest.evolution import evolution
from lakehouse_jobs.ingest.expectations import Checks
from lakehouse_jobs.ingest.landing import Landing
from lakehouse_jobs.ingest.ledger import Books
from lakehouse_jobs.ingest.outcome import BatchOutcome, idle, ingested
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.source import Source, Surroundings
from lakehouse_jobs.ingest.sources.opening import open_source
from lakehouse_jobs.ingest.tables import PROVENANCE, QUARANTINE, Table
from lakehouse_jobs.ingest.targets.opening import open_target
from lakehouse_jobs.ingest.targets.shape import mark
from lakehouse_jobs.ingest.targets.target import Target
from lakehouse_jobs.ingest.work import ReplayWork, WindowWork
from lakehouse_jobs.quarantine.replay import on_replay
from lakehouse_jobs.quarantine.tending import tend
from lakehouse_jobs.storage import Storage

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The result of a run and the batches it reports."""

    result: RunResult
    batches: list[BatchOutcome]


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """What one run works with."""

    at: Surroundings
    source: Source
    target: Target
    books: Books
    bronze: Table
    quarantine: Table

    @property
    def spec(self) -> RunSpec:
        """Give what the run was asked for."""
        return self.at.run


def ingest(spark: SparkSession, spec: RunSpec, now: str) -> Ended:
    """Run one ingest, `now` being the time of its start in RFC 3339; raise JobError if it cannot end well."""
    request = spec.job.quarantine
    spec = on_replay(spec) if request else on_backfill(spec) if spec.job.backfill else spec
    contract, storage = _contract(spec), Storage(spark)
    books = Books.of(storage, spec)
    landing = Landing(storage=storage, uri=f"{books.uri}/landed")
    at = Surroundings(spark=spark, storage=storage, run=spec, contract=contract, landing=landing, now=now)
    if request and request.verb is not Verb.REPLAY:
        return _tended(at, request)
    run = Ingest(
        at=at,
        source=open_source(at),
        target=open_target(at),
        books=books,
        bronze=Table(spark, spec.job.target.uri),
        quarantine=Table(spark, spec.job.target.quarantine_uri),
    )
    try:
        return _run(run)
    except Exception as error:
        raise failure_of(error, where=f"writing {spec.job.target.uri}", side="Target") from error


def _tended(at: Surroundings, request: QuarantineRequest) -> Ended:
    uri = at.run.job.target.quarantine_uri
    try:
        return Ended(result=tend(at, request), batches=[])
    except Exception as error:
        raise failure_of(error, where=f"tending {uri}", side="Target") from error


def _contract(spec: RunSpec) -> Contract:
    try:
        contract = read_contract(spec.job.contract)
    except ContractError as error:
        raise spec_wrong("ContractInvalid", str(error)) from error
    unknown = [name for name in spec.job.target.partition_by if name not in contract.names]
    if unknown:
        raise spec_wrong(
            "PartitionColumnUnknown", f"target.partitionBy: {', '.join(unknown)} is not a property of the contract."
        )
    return contract


def _run(run: Ingest) -> Ended:
    run.source.check()
    run.target.check()
    _require_columns(run)
    committed = run.bronze.committed(run.spec.app_id)
    run.target.follow(committed)
    earlier = _committed_before(run, committed)
    if earlier:
        return _ended(run, [earlier], "AlreadyCommitted")
    done: list[BatchOutcome] = []
    while plan := _next_plan(run, committed):
        _LOG.info("batch %d of run %s: reading %s of %s", plan.batch, plan.run, plan.work.size, run.source.place)
        _forget_given_up(run, plan)
        done.append(run.books.record(execute(run.at, run.source, run.target, plan)))
        _forget_landed(run, plan)
        committed = plan.batch
        if plan.belongs_to(run.spec):
            break
    return _ended(run, done, "Ingested") if done else _nothing_new(run, committed)


def _ended(run: Ingest, done: list[BatchOutcome], reason: str) -> Ended:
    return Ended(result=ingested(run.spec.job.target, done, reason=reason), batches=done)


def _require_columns(run: Ingest) -> None:
    """Raise SchemaMismatch or ExpectationInvalid before anything is read."""
    columns = StructType([StructField(field.name, column_type(field)) for field in run.at.contract.fields])
    wanted = StructType([*columns, *PROVENANCE])
    evolution(run.bronze.uri, run.bronze.columns(), wanted, widen=widens_types(run.spec.job.drift))
    run.quarantine.require_columns(StructType([*QUARANTINE, *PROVENANCE]))
    Checks.of(run.at).require_valid(columns)


def _committed_before(run: Ingest, committed: int) -> BatchOutcome | None:
    """Give the last batch's outcome if an earlier attempt of this slot committed it and could not tell.

    Whoever committed it, its outcome is recorded now at the latest.
    """
    plan = run.books.plan(committed) if committed else None
    if plan is None:
        return None
    outcome = run.books.outcome(committed) or run.books.record(run.target.told(_recovered(run, plan)))
    _forget_landed(run, plan)
    return outcome if plan.belongs_to(run.spec) and plan.suits(run.spec) else None


def _recovered(run: Ingest, plan: Plan) -> BatchOutcome:
    """Find out what a batch did whose driver died between its commit and its result."""
    found = run.bronze.commit_with(mark(run.spec, plan.batch))
    if found is None:
        return _recounted(run, plan)
    outcome = BatchOutcome.model_validate_json(found.metadata.partition(": ")[2])
    quarantine = run.quarantine.version() if outcome.rows_quarantined else None
    return outcome.model_copy(update={"table_version": found.version, "quarantine_version": quarantine})


def _recounted(run: Ingest, plan: Plan) -> BatchOutcome:
    """Count the rows of a batch whose commit the table's history no longer has."""
    written, refused = run.bronze.rows_of(plan.run, plan.batch), run.quarantine.rows_of(plan.run, plan.batch)
    counted = BatchOutcome.of(plan, rows_read=written + refused, rows_quarantined=refused)
    return with_versions(counted, run.bronze, run.quarantine)


def _next_plan(run: Ingest, committed: int) -> Plan | None:
    """Take up the plan that is open, or make one of what is new.

    An open plan is kept as long as it can be executed as it is. When its source changed, or the run asks for something
    else, it is given up for a plan with a higher number: nothing of it was committed to the table, and a driver that
    still works on it cannot commit once the higher number is in.
    """
    before = run.books.committed_plans(committed)
    opened = run.books.open_plans(committed)
    if opened and opened[-1].previous == committed and opened[-1].suits(run.spec) and run.source.can_resume(opened[-1]):
        return opened[-1]
    batch = committed + len(opened) + 1
    work = run.source.next_work(_readings(before), batch)
    if work is None:
        return None
    frozen = run.books.freeze(Plan.new(run.spec, before, batch=batch, work=work, now=run.at.now))
    if not frozen.suits(run.spec):
        raise unavailable(
            "AnotherDriver", f"run {frozen.run} planned batch {frozen.batch} at the same moment for another spec."
        )
    return frozen


def _forget_given_up(run: Ingest, plan: Plan) -> None:
    """Delete what plans that were given up before this one left in quarantine and landed."""
    for batch in range(plan.previous + 1, plan.batch):
        given_up = run.books.plan(batch)
        if given_up:
            run.quarantine.delete_rows_of(given_up.run, batch)
            _forget_landed(run, given_up)


def _forget_landed(run: Ingest, plan: Plan) -> None:
    """Delete what was landed of a batch that is over. Only windows are landed; to ask for others is a waste."""
    if isinstance(plan.work, WindowWork):
        run.at.landing.forget(plan.batch)


def _nothing_new(run: Ingest, committed: int) -> Ended:
    idle_because = run.source.idle(_readings(run.books.committed_plans(committed)))
    return Ended(result=idle(idle_because, version=run.bronze.version()), batches=[])


def _readings(plans: Sequence[Plan]) -> list[Plan]:
    """Leave out the replays: they read nothing of the source."""
    return [plan for plan in plans if not isinstance(plan.work, ReplayWork)]
