"""A backfill: a range of a source, read before, is read once more.

It is a batch of the pipeline's one chain of plans, so it is committed once, and where the next batch begins stays as it
was. What is written follows from the target: a merge takes rows in by their sequence, an append takes those that it
lacks, and `replace` makes the table's part of the range what the source has now.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.run import RunSpec
from lakehouse_api.target import TargetMode
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import JobError, spec_wrong
from lakehouse_jobs.ingest.known import Known
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.ranges import cursor_column, is_by_cursor, unfit
from lakehouse_jobs.ingest.source import Idle, RangedSource, Surroundings
from lakehouse_jobs.ingest.work import Work


def on_backfill(run: RunSpec) -> RunSpec:
    """Give the run as it judges a backfill: what is expected of a batch of new rows is not asked of old ones."""
    rows = [one for one in run.job.expectations if one.of_rows]
    return run.model_copy(update={"job": run.job.model_copy(update={"expectations": rows})})


class Backfill:
    """The range that one run reads again."""

    def __init__(self, source: RangedSource, wanted: BackfillRange, at: Surroundings) -> None:
        self._source = source
        self._wanted = wanted
        self._at = at
        self.place = source.place
        self.cells = source.cells

    def check(self) -> None:
        """Raise BackfillRefused where rows could be doubled, lost or set back, and what the source has against it."""
        require_safe(self._at.run, self._at.contract)
        self._source.check()

    def next_work(self, committed: Sequence[Plan], batch: int) -> Work | None:
        """Freeze what of the range was read before."""
        return self._source.again(committed, batch, self._wanted)

    def can_resume(self, plan: Plan) -> bool:
        """Ask the source."""
        return self._source.can_resume(plan)

    def headers(self, plan: Plan) -> Sequence[Sequence[str]]:
        """Ask the source."""
        return self._source.headers(plan)

    def rows(self, plan: Plan) -> DataFrame:
        """Describe the rows; those that are known are left out, unless the table's own are to be replaced."""
        rows = self._source.rows(plan)
        return rows if replaces(self._at.run) else Known(at=self._at).left_out(rows, plan)

    def require_unchanged(self, plan: Plan) -> None:
        """Ask the source."""
        self._source.require_unchanged(plan)

    def idle(self, committed: Sequence[Plan]) -> Idle:  # noqa: ARG002 (the protocol's)
        """Say that nothing was read."""
        message = (
            f"{self.place} has nothing {self._wanted.shown} that was read before and is there still. What is new, the "
            "ordinary runs read."
        )
        return Idle(reason="NothingToBackfill", message=message, newest_input=None)


def replaces(run: RunSpec) -> bool:
    """Tell whether a run replaces the table's part of the range."""
    backfill = run.job.backfill
    return backfill is not None and (backfill.replace or run.job.target.mode is TargetMode.OVERWRITE)


def require_safe(run: RunSpec, contract: Contract) -> None:
    """Raise BackfillRefused where rows could be doubled, lost, or set back to what they were."""
    problem = _of_source(run) or _of_target(run) or (unfit(run, contract) if is_by_cursor(run) else None)
    if problem:
        raise _refused(problem)


def _of_source(run: RunSpec) -> str | None:
    backfill, kind = run.job.backfill, run.job.source.kind
    if is_by_cursor(run) and run.job.incremental is None:
        return "the pipeline reads everything in each run: without incremental.cursor there is no range to read again"
    if backfill and backfill.prefix and kind != "files":
        return f"prefix chooses among files, and the source is {kind}: give from and until"
    return None


def _of_target(run: RunSpec) -> str | None:
    target = run.job.target
    match target.mode:
        case TargetMode.OVERWRITE:
            return _of_overwrite(run)
        case TargetMode.MERGE if run.job.backfill and run.job.backfill.replace:
            return "target.mode is Merge: it takes rows in by their sequence, and has no range to replace. Leave it out"
    first = target.merge.sequence_by[0] if target.merge else ""
    if first == "_ingest_batch" or (is_by_cursor(run) and first.startswith("_ingest_")):
        return f"target.merge.sequenceBy begins with {first}, so rows that are read again would pass for the newest"
    return None


def _of_overwrite(run: RunSpec) -> str | None:
    """Tell what is wrong unless the rows that a batch replaces all have cursors of its range."""
    by = run.job.target.overwrite.by if run.job.target.overwrite else []
    if is_by_cursor(run) and cursor_column(run) in by:
        return None
    return (
        "target.mode is Overwrite: the batch would take the place of rows that newer batches brought. It needs the "
        "cursor among target.overwrite.by"
    )


def _refused(problem: str) -> JobError:
    return spec_wrong("BackfillRefused", f"Nothing was read again: {problem}.")
