"""Overwrite: a batch replaces the table, or the part of it for which it brings new rows."""

from pyspark.sql import DataFrame

from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import Commit, Table
from lakehouse_jobs.ingest.targets.shape import creation_of


class Replace:
    """A table whose rows a batch replaces.

    A batch without a row replaces nothing: a source that is empty by mistake, or rows that are all refused, must not
    cost what the table has.
    """

    def __init__(self, at: Surroundings) -> None:
        self._at = at
        self._table = Table(at.spark, at.run.job.target.uri)
        overwrite = at.run.job.target.overwrite
        self._by = tuple(overwrite.by) if overwrite else ()

    def check(self) -> None:
        """Raise OverwriteColumnUnknown."""
        unknown = [name for name in self._by if name not in self._at.contract.names]
        if unknown:
            raise spec_wrong(
                "OverwriteColumnUnknown",
                f"target.overwrite.by: {', '.join(unknown)} is not a property of the contract.",
            )

    def write(self, rows: DataFrame, commit: Commit) -> None:
        """Replace what the rows are for."""
        if self._table.version() is None or rows.isEmpty():
            self._table.append(rows, commit, creation_of(self._at.run))
        elif self._by:
            self._table.replace(rows, self._by, commit)
        else:
            self._table.overwrite(rows, commit)
