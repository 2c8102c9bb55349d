"""Merge: a table that each batch brings up to date, be it the target itself or one derived from all that it keeps."""

import json
import logging
from typing import Final

from pyspark.sql import DataFrame
from typing_extensions import override

from lakehouse_api.target import Merge
from lakehouse_jobs.ingest.judging import Judged
from lakehouse_jobs.ingest.ledger import Books
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import Commit, Creation, Table
from lakehouse_jobs.ingest.targets.append import Append
from lakehouse_jobs.ingest.targets.columns import column
from lakehouse_jobs.ingest.targets.merged import AFTER, MergedTable, mergeable
from lakehouse_jobs.ingest.targets.nulls import without_nulls
from lakehouse_jobs.ingest.targets.shape import creation_of, mark

_LOG: Final = logging.getLogger(__name__)


class _Merging(Append):
    """What a target with a merged table does, whichever that is."""

    def __init__(self, at: Surroundings, merge: Merge, table: Table, creation: Creation) -> None:
        super().__init__(at)
        self._merged = MergedTable(at=at, table=table, merge=merge, creation=creation)

    @override
    def check(self) -> None:
        """Raise JobError for columns or conditions that cannot be, or a table of another kind."""
        self._merged.check()

    @override
    def admit(self, judged: Judged, *, cells: bool) -> Judged:
        """Refuse rows that name nothing or have no place in the sequence."""
        return without_nulls(judged, self._merged.changes, cells=cells)

    @override
    def told(self, outcome: BatchOutcome) -> BatchOutcome:
        """Add what the merge did."""
        return self._merged.told(outcome, mark(self._at.run, outcome.batch))


class MergeInto(_Merging):
    """The target's own table, into which changes are merged."""

    def __init__(self, at: Surroundings, merge: Merge) -> None:
        super().__init__(at, merge, Table(at.spark, at.run.job.target.uri), creation_of(at.run))

    @override
    def write(self, rows: DataFrame, commit: Commit) -> None:
        """Merge the rows."""
        self._merged.bring_up_to_date(rows, commit)


class AppendAndMerge(_Merging):
    """A table that keeps every change, and one with the newest state that is derived from it.

    The second one has its own transaction: the last batch that was merged. What a driver left undone between the two
    commits, the next one does; when the table is dropped, it is made again from all that was kept.
    """

    def __init__(self, at: Surroundings, merge: Merge, uri: str) -> None:
        super().__init__(at, merge, Table(at.spark, uri), Creation(properties={}))
        self._books = Books.of(at.storage, at.run)

    @override
    def follow(self, committed: int) -> None:
        """Merge what was kept since the last merge, of this pipeline's own batches."""
        last = self._books.plan(committed) if committed else None
        if last is None:
            return
        # batches of a dropped and new chain of plans count from 1 again: the chain is part of the name
        app = f"{self._at.run.app_id}/{last.origin}"
        merged = self._merged.table.committed(app)
        if merged >= committed:
            return
        plans = self._books.chain(merged, committed)
        _LOG.info("merging %d batches, up to %d, into %s", len(plans), committed, self._merged.table.uri)
        metadata = f"{mark(self._at.run, committed)} {json.dumps({AFTER: merged})}"
        self._merged.bring_up_to_date(
            self._kept(merged, [plan.run for plan in plans]), Commit(app=app, batch=committed, metadata=metadata)
        )

    def _kept(self, after: int, runs: list[str]) -> DataFrame:
        """Give the rows of batches after one that these runs planned; others may keep rows in the same table."""
        rows = self._table.rows().where((column("_ingest_batch") > after) & column("_ingest_run").isin(runs))
        return mergeable(rows, self._merged.changes)
