"""Append: the table keeps every row of every batch."""

from pyspark.sql import DataFrame

from lakehouse_jobs.ingest.backfill import replaces
from lakehouse_jobs.ingest.judging import Judged
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import Commit, Table
from lakehouse_jobs.ingest.targets.replacing import replace_range
from lakehouse_jobs.ingest.targets.shape import creation_of


class Append:
    """A table that rows are added to."""

    def __init__(self, at: Surroundings) -> None:
        self._at = at
        self._table = Table(at.spark, at.run.job.target.uri)

    def check(self) -> None:
        """Take any contract."""

    def admit(self, judged: Judged, *, cells: bool) -> Judged:  # noqa: ARG002 (the protocol's)
        """Take all accepted rows."""
        return judged

    def write(self, rows: DataFrame, commit: Commit) -> None:
        """Append the rows, or let them take the place of those that were read before."""
        if replaces(self._at.run):
            replace_range(self._at, rows, commit)
            return
        self._table.append(rows, commit, creation_of(self._at.run))

    def follow(self, committed: int) -> None:
        """Derive nothing."""

    def told(self, outcome: BatchOutcome) -> BatchOutcome:
        """Add nothing."""
        return outcome
