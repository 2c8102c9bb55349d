"""Replacing what a table has of a range by what its source has now, in one commit."""

from functools import reduce
from operator import and_
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_jobs.ingest.ledger import Books
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.ranges import cursor_of_row, place_of, places
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import Commit, Table
from lakehouse_jobs.ingest.targets.columns import all_of, column
from lakehouse_jobs.ingest.targets.shape import creation_of

_PLACE: Final = "_ingest_place"


def replace_range(at: Surroundings, rows: DataFrame, commit: Commit) -> None:
    """Delete the rows of the range that the batch's plan names, and insert the new ones, in one merge.

    A batch without a row replaces nothing: a source that is empty by mistake must not cost what the table has.
    """
    table = Table(at.spark, at.run.job.target.uri)
    plan = Books.of(at.storage, at.run).plan(commit.batch)
    if plan is None or table.version() is None or rows.isEmpty():
        table.append(rows, commit, creation_of(at.run))
    else:
        _replace(at, table, rows, plan, commit)


def _replace(at: Surroundings, table: Table, rows: DataFrame, plan: Plan, commit: Commit) -> None:
    gone = at.spark.createDataFrame([(place,) for place in places(plan)], f"{_PLACE} string")
    new = rows.withColumn(_PLACE, F.lit(None).cast("string"))
    changes = new.unionByName(gone, allowMissingColumns=True)
    here, values = place_of(plan, cursor_of_row(at.run, at.contract, of="t."), of="t."), all_of(rows)
    on = reduce(and_, [here.isNotNull(), here == column(_PLACE, of="s")])
    table.merge(
        changes,
        on,
        lambda merge: merge.whenMatchedDelete().whenNotMatchedInsert(column(_PLACE, of="s").isNull(), values),
        commit,
    )
