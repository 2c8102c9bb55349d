"""The ingest job from run.json's values to a result: finish what is open, read what is new, once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql.types import StructField, StructType

from lakehouse_api.run import RunResult, RunSpec
from lakehouse_jobs.contract.cells import column_type
from lakehouse_jobs.contract.schema import Contract, ContractError, read_contract
from lakehouse_jobs.failures import failure_of, spec_wrong, unavailable
from lakehouse_jobs.ingest.batch import execute, mark, with_versions
from lakehouse_jobs.ingest.headers import grouped
from lakehouse_jobs.ingest.ledger import Books
from lakehouse_jobs.ingest.options import check_options
from lakehouse_jobs.ingest.outcome import BatchOutcome, idle, ingested
from lakehouse_jobs.ingest.plan import Ledger, Plan, changed, due, moment, new_plan, summarised
from lakehouse_jobs.ingest.source import listing
from lakehouse_jobs.ingest.tables import PROVENANCE, QUARANTINE, Table
from lakehouse_jobs.storage import Storage, Stored

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The result of a run and the batches it reports."""

    result: RunResult
    batches: list[BatchOutcome]


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """What one run works with. `now` is the time of its start in RFC 3339."""

    spark: SparkSession
    spec: RunSpec
    contract: Contract
    now: str
    storage: Storage
    books: Books
    bronze: Table
    quarantine: Table


def ingest(spark: SparkSession, spec: RunSpec, now: str) -> Ended:
    """Run one ingest; raise JobError, with a reason, if it cannot end well."""
    contract = _contract(spec)
    check_options(spec.job.source)
    storage = Storage(spark)
    run = Ingest(
        spark=spark,
        spec=spec,
        contract=contract,
        now=now,
        storage=storage,
        books=Books.of(storage, spec),
        bronze=Table(spark, spec.job.target.uri),
        quarantine=Table(spark, spec.job.target.quarantine_uri),
    )
    try:
        return _run(run)
    except Exception as error:
        raise failure_of(error, where=f"writing {spec.job.target.uri}", side="Target") from error


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
    files = listing(run.storage, run.spec.job.source)
    _require_columns(run)
    committed = run.bronze.committed(run.spec.app_id)
    earlier = _committed_before(run, committed)
    if earlier:
        return _ended(run, [earlier], "AlreadyCommitted")
    done: list[BatchOutcome] = []
    while plan := _next_plan(run, committed, files):
        _LOG.info("batch %d of run %s: reading %d files of %s", plan.batch, plan.run, len(plan.files), plan.source.uri)
        _forget_given_up(run, plan)
        done.append(run.books.record(execute(run.spark, run.storage, run.spec, plan, run.contract)))
        committed = plan.batch
        if plan.belongs_to(run.spec):
            break
    return _ended(run, done, "Ingested") if done else _nothing_new(run, committed, files)


def _ended(run: Ingest, done: list[BatchOutcome], reason: str) -> Ended:
    return Ended(result=ingested(run.spec.job.target, done, reason=reason), batches=done)


def _require_columns(run: Ingest) -> None:
    fields = [StructField(field.name, column_type(field)) for field in run.contract.fields]
    run.bronze.require_columns(StructType([*fields, *PROVENANCE]))
    run.quarantine.require_columns(StructType([*QUARANTINE, *PROVENANCE]))


def _committed_before(run: Ingest, committed: int) -> BatchOutcome | None:
    """Give the last batch's outcome if an earlier attempt of this slot committed it and could not tell.

    Whoever committed it, its outcome is recorded now at the latest.
    """
    plan = run.books.plan(committed) if committed else None
    if plan is None:
        return None
    outcome = run.books.outcome(committed) or run.books.record(_recovered(run, plan))
    return outcome if plan.belongs_to(run.spec) and plan.suits(run.spec) else None


def _recovered(run: Ingest, plan: Plan) -> BatchOutcome:
    """Find out what a batch did whose driver died between its commit and its result."""
    found = run.bronze.commit_with(mark(run.spec, plan.batch))
    if found is None:
        return _recounted(run, plan)
    version, metadata = found
    outcome = BatchOutcome.model_validate_json(metadata.partition(": ")[2])
    quarantine = run.quarantine.version() if outcome.rows_quarantined else None
    return outcome.model_copy(update={"table_version": version, "quarantine_version": quarantine})


def _recounted(run: Ingest, plan: Plan) -> BatchOutcome:
    """Count the rows of a batch whose commit the table's history no longer has."""
    written, refused = run.bronze.rows_of(plan.run, plan.batch), run.quarantine.rows_of(plan.run, plan.batch)
    counted = BatchOutcome(
        batch=plan.batch,
        run=plan.run,
        rows_read=written + refused,
        rows_written=written,
        rows_quarantined=refused,
        files_read=len(plan.files),
        bytes_read=sum(file.size for file in plan.files),
        newest_input=moment(max(file.modified for file in plan.files)),
        files_rewritten=plan.rewritten,
    )
    return with_versions(counted, run.bronze, run.quarantine)


def _next_plan(run: Ingest, committed: int, files: Sequence[Stored]) -> Plan | None:
    """Take up the plan that is open, or make one of the files that are due.

    An open plan is kept as long as it can be executed as it is. When its files changed, or the run asks for something
    else, it is given up for a plan with a higher number: nothing of it was committed to the table, and a driver that
    still works on it cannot commit once the higher number is in.
    """
    ledger = run.books.ledger(committed)
    opened = run.books.open_plans(committed)
    if opened and opened[-1].previous == committed and opened[-1].suits(run.spec) and not changed(opened[-1], files):
        return opened[-1]
    found = due(ledger, files, run.spec.job.reread)
    if not found.files:
        return None
    plan = new_plan(
        run.spec,
        ledger,
        batch=committed + len(opened) + 1,
        groups=grouped(run.storage, run.spec.job.source, run.contract, found.files),
        rewritten=found.rewritten,
        now=run.now,
    )
    frozen = run.books.freeze(summarised(plan, ledger, files))
    if not frozen.suits(run.spec):
        raise unavailable(
            "AnotherDriver", f"run {frozen.run} planned batch {frozen.batch} at the same moment for another spec."
        )
    return frozen


def _forget_given_up(run: Ingest, plan: Plan) -> None:
    """Delete what plans that were given up before this one left in quarantine."""
    for batch in range(plan.previous + 1, plan.batch):
        given_up = run.books.plan(batch)
        if given_up:
            run.quarantine.delete_rows_of(given_up.run, batch)


def _nothing_new(run: Ingest, committed: int, files: Sequence[Stored]) -> Ended:
    ledger: Ledger = run.books.ledger(committed)
    uri = run.spec.job.source.uri
    if not files and not ledger.committed:
        raise spec_wrong(
            "SourceEmpty",
            f"{uri} has no files and never had any for this pipeline. Check source.files.uri, or run again once the "
            "first file is there.",
        )
    newest = moment(ledger.newest) if ledger.newest else None
    message = f"All {len(files)} files of {uri} were read before."
    return Ended(result=idle("NoNewFiles", message, version=run.bronze.version(), newest=newest), batches=[])
