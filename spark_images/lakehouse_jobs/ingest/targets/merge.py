"""Merge: the table has one row for each key, brought up to date by each batch."""

from pyspark.sql import DataFrame
from typing_extensions import override

from lakehouse_api.target import Merge
from lakehouse_jobs.ingest.judging import Judged
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import Commit
from lakehouse_jobs.ingest.targets.append import Append
from lakehouse_jobs.ingest.targets.merged import MergedTable
from lakehouse_jobs.ingest.targets.nulls import without_nulls
from lakehouse_jobs.ingest.targets.shape import creation_of, mark


class MergeInto(Append):
    """The target's own table, into which changes are merged."""

    def __init__(self, at: Surroundings, merge: Merge) -> None:
        super().__init__(at)
        self._merged = MergedTable(
            at=at,
            table=self._table,
            merge=merge,
            creation=creation_of(at.run),
        )

    @override
    def check(self) -> None:
        """Raise JobError for columns or conditions that cannot be, or a table of another kind."""
        self._merged.check()

    @override
    def admit(self, judged: Judged, *, cells: bool) -> Judged:
        """Refuse rows that name nothing or have no place in the sequence."""
        return without_nulls(judged, self._merged.changes, cells=cells)

    @override
    def write(self, rows: DataFrame, commit: Commit) -> None:
        """Merge the rows."""
        self._merged.bring_up_to_date(rows, commit)

    @override
    def told(self, outcome: BatchOutcome) -> BatchOutcome:
        """Add what the merge did."""
        return self._merged.told(outcome, mark(self._at.run, outcome.batch))
