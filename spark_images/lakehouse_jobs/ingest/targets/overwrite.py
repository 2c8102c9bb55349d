"""Overwrite: a batch replaces the table, or the part of it for which it brings new rows."""

from functools import reduce
from operator import and_
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from typing_extensions import override

from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import Commit
from lakehouse_jobs.ingest.targets.append import Append
from lakehouse_jobs.ingest.targets.columns import all_of, column
from lakehouse_jobs.ingest.targets.shape import creation_of

_GONE: Final = "_ingest_gone"


class Replace(Append):
    """A table whose rows a batch replaces.

    A batch without a row replaces nothing: a source that is empty by mistake, or rows that are all refused, must not
    cost what the table has.
    """

    def __init__(self, at: Surroundings) -> None:
        super().__init__(at)
        overwrite = at.run.job.target.overwrite
        self._by = tuple(overwrite.by) if overwrite else ()

    @override
    def check(self) -> None:
        """Raise OverwriteColumnUnknown."""
        unknown = [name for name in self._by if name not in self._at.contract.names]
        if unknown:
            raise spec_wrong(
                "OverwriteColumnUnknown",
                f"target.overwrite.by: {', '.join(unknown)} is not a property of the contract.",
            )

    @override
    def write(self, rows: DataFrame, commit: Commit) -> None:
        """Replace what the rows are for."""
        if self._table.version() is None or rows.isEmpty():
            self._table.append(rows, commit, creation_of(self._at.run))
        elif self._by:
            self._replace(rows, commit)
        else:
            self._table.overwrite(rows, commit)

    def _replace(self, rows: DataFrame, commit: Commit) -> None:
        """Delete the rows that have the values of new ones, and insert those, in one merge."""
        places = rows.select(*map(column, self._by), F.lit(True).alias(_GONE)).distinct()  # noqa: FBT003 (a literal)
        changes = rows.withColumn(_GONE, F.lit(False)).unionByName(places, allowMissingColumns=True)  # noqa: FBT003
        gone, values = column(_GONE, of="s"), all_of(rows)
        on = reduce(and_, (column(name, of="t").eqNullSafe(column(name, of="s")) for name in self._by), gone)
        self._table.merge(
            changes, on, lambda merge: merge.whenMatchedDelete().whenNotMatchedInsert(~gone, values), commit
        )
