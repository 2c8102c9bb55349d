"""The newest state of each key. A deletion stays as a row, a tombstone, so that no older change brings the key back."""

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_jobs.ingest.tables import Commit, Creation, Table
from lakehouse_jobs.ingest.targets.changes import Changes
from lakehouse_jobs.ingest.targets.columns import all_of, column, same

_NEWEST: Final = "_ingest_newest"


def bring_up_to_date(table: Table, how: Changes, rows: DataFrame, commit: Commit, creation: Creation) -> None:
    """Merge changes, each of which counts if it is newer than what the table has of its key."""
    newest = newest_of_each(how, rows)
    if table.version() is None:
        table.append(newest, commit, creation)
        return
    names, values = newest.columns, all_of(newest)
    newer = how.rank(names, of="s") > how.rank(names, of="t")
    table.merge(
        newest,
        same(how.merge.keys),
        lambda merge: merge.whenMatchedUpdate(newer, values).whenNotMatchedInsert(values=values),
        commit,
    )


def newest_of_each(how: Changes, changes: DataFrame) -> DataFrame:
    """Keep the newest change of each key; of copies the last one, so that a retry writes the same."""
    order = F.struct(how.rank(changes.columns), "_ingest_batch", "_ingest_file", "_ingest_row")
    row = F.max_by(F.struct(*map(column, changes.columns)), order)
    return changes.groupBy(*map(column, how.merge.keys)).agg(row.alias(_NEWEST)).select(f"{_NEWEST}.*")
