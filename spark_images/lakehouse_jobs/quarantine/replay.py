"""Replay: quarantined rows as the source of a batch. What the contract of today accepts goes to the table.

The batch is one of the pipeline's chain of plans, so it is committed once, and what a source was read up to stays as it
was. Rows that are refused again stay open.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.enforcement import Drift, MissingColumns, NewColumns, TypeChange
from lakehouse_api.quarantine import RowFilter
from lakehouse_api.run import RunSpec
from lakehouse_api.target import TargetMode
from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.ingest import drift, expectations
from lakehouse_jobs.ingest.ledger import Books
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.rows import judged_rows
from lakehouse_jobs.ingest.source import Idle, Surroundings
from lakehouse_jobs.ingest.tables import Table
from lakehouse_jobs.ingest.work import QuarantinedBatch, ReplayWork
from lakehouse_jobs.quarantine.table import IDENTITY, Quarantine

_NO_FLAWS: Final = (drift.KEYWORD, expectations.KEYWORD)
_NO_TEXT: Final = "Malformed: the text of the row is not known"
_READERS: Final = 8


def on_replay(run: RunSpec) -> RunSpec:
    """Give the run as it judges a replay: row by row. A batch of leftovers says nothing about the source as a whole."""
    relaxed = {"drift": row_by_row(run.job.drift), "expectations": [one for one in run.job.expectations if one.of_rows]}
    return run.model_copy(update={"job": run.job.model_copy(update=relaxed)})


def row_by_row(policy: Drift) -> Drift:
    """Let single rows be refused where the policy would refuse the batch."""
    strict: dict[str, object] = {}
    if policy.new_columns is NewColumns.FAIL:
        strict["new_columns"] = NewColumns.QUARANTINE
    if policy.missing_columns is MissingColumns.FAIL:
        strict["missing_columns"] = MissingColumns.QUARANTINE
    if policy.type_change is TypeChange.FAIL:
        strict["type_change"] = TypeChange.QUARANTINE
    return policy.model_copy(update=strict)


class Replay:
    """The quarantined rows that one run replays. `cells`: their members are CSV cells, as their source reads them."""

    def __init__(self, rows: RowFilter, at: Surroundings, *, cells: bool) -> None:
        self._filter = rows
        self._at = at
        self._quarantine = Quarantine(at.spark, at.run.job.target.quarantine_uri)
        self.place = at.run.job.target.quarantine_uri
        self.cells = cells

    def check(self) -> None:
        """Raise ReplayRefused for a table in which the order of batches counts."""
        if self._at.run.job.target.mode is TargetMode.OVERWRITE:
            raise spec_wrong(
                "ReplayRefused",
                "target.mode is Overwrite: a replay would take the place of what newer batches brought. Change the "
                "contract and read the source again, with the annotation lakehouse.dev/reread.",
            )

    def next_work(self, committed: Sequence[Plan], batch: int) -> ReplayWork | None:  # noqa: ARG002 (the protocol's)
        """Freeze which batches' rows are replayed: committed ones of this pipeline."""
        if not self._quarantine.exists:
            return None
        self._quarantine.prepare()
        books, last = Books.of(self._at.storage, self._at.run), self._committed()
        reopen_unfinished(self._quarantine, books)
        found = [each for each in self._quarantine.batches_of(self._filter) if each.batch <= last]
        batches = own(books, found)
        return ReplayWork(rows=self._filter, batches=batches) if batches else None

    def _committed(self) -> int:
        return Table(self._at.spark, self._at.run.job.target.uri).committed(self._at.run.app_id)

    def can_resume(self, plan: Plan) -> bool:
        """Tell that the plan is a replay: its rows cannot change."""
        return isinstance(plan.work, ReplayWork)

    def headers(self, plan: Plan) -> Sequence[Sequence[str]]:  # noqa: ARG002 (the protocol's)
        """Give none: every row brings its own names."""
        return []

    def rows(self, plan: Plan) -> DataFrame:
        """Describe the rows. Their `file` is a struct of what identifies them beside `number`."""
        work = replay_work(plan)
        rows = self._quarantine.of_batches(self._quarantine.open_rows(work.rows, plan), work.batches)
        lines = rows.select(
            F.col("row").alias("value"),
            F.struct(*IDENTITY).alias("file"),
            F.col("_ingest_row").alias("place"),
            _flaw().alias("flaw"),
        )
        return judged_rows(lines, self._at.contract, flaw=F.col("flaw"), cells=self.cells)

    def require_unchanged(self, plan: Plan) -> None:
        """Raise nothing: rows of the quarantine never change."""

    def idle(self, committed: Sequence[Plan]) -> Idle:  # noqa: ARG002 (the protocol's)
        """Say that there is no such row."""
        message = f"{self.place} has no open rows of this pipeline that were asked for."
        return Idle(reason="NothingToReplay", message=message, newest_input=None)


def replay_work(plan: Plan) -> ReplayWork:
    """Give a plan's work, which must be a replay."""
    if not isinstance(plan.work, ReplayWork):
        raise TypeError(f"batch {plan.batch} reads {plan.work.kind}, not the quarantine")
    return plan.work


def reopen_unfinished(quarantine: Quarantine, books: Books) -> None:
    """Open the rows again that a replay marked which was given up: it has no result, and will have none.

    Called when the last committed batch has its result.
    """
    for each in own(books, quarantine.replaying()):
        if books.outcome(each.batch) is None:
            quarantine.reopen(each.run, each.batch)


def own(books: Books, batches: Sequence[QuarantinedBatch]) -> list[QuarantinedBatch]:
    """Keep the batches of this pipeline: another one may write to the same table."""

    def known(each: QuarantinedBatch) -> bool:
        plan = books.plan(each.batch)
        return plan is not None and plan.run == each.run

    with ThreadPoolExecutor(_READERS) as pool:
        return [each for each, ours in zip(batches, pool.map(known, batches), strict=True) if ours]


def _flaw() -> Column:
    """Give what the reader found wrong with a row: no contract makes that good, and its text may be cut."""
    found = F.filter("reasons", _is_flaw)
    told = F.when(F.size(found) > 0, F.concat(found[0]["keyword"], F.lit(": "), found[0]["message"]))
    return F.coalesce(told, F.when(F.trim("row") == "", F.lit(_NO_TEXT)))


def _is_flaw(reason: Column) -> Column:
    """Tell readers' keywords, which begin with a capital, from JSON Schema's; the policies have capitals as well."""
    return (reason["path"] == "") & F.rlike(reason["keyword"], F.lit("^[A-Z]")) & ~reason["keyword"].isin(*_NO_FLAWS)
