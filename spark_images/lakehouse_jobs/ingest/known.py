"""Rows that are read again and were judged before: the table has them, or its quarantine has."""

from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import quoted
from lakehouse_api.target import TargetMode
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.ranges import identity, is_by_cursor, member, place_of
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import Table


@dataclass(frozen=True, kw_only=True)
class Known:
    """What one pipeline's tables have."""

    at: Surroundings

    def left_out(self, rows: DataFrame, plan: Plan) -> DataFrame:
        """Leave out rows that were refused before and, where rows are appended, those that the table has.

        What lies in a file or at an offset is known by its place, and a row that a cursor led to by its keys and the
        cursor. A refused one is known by its text: what was corrected since is judged anew.
        """
        target = self.at.run.job.target
        refused, table = (Table(self.at.spark, uri) for uri in (target.quarantine_uri, target.uri))
        by_cursor = is_by_cursor(self.at.run)
        if refused.version() is not None:
            rows = _without_texts(rows, refused) if by_cursor else _without_places(rows, refused, plan)
        if target.mode is not TargetMode.APPEND or table.version() is None:
            return rows
        return self._without_versions(rows, table) if by_cursor else _without_places(rows, table, plan)

    def _without_versions(self, rows: DataFrame, table: Table) -> DataFrame:
        """Compare keys and cursor; a row that has something else there is left to the contract."""
        fields = {field.name: field for field in self.at.contract.fields}
        named = [fields[name] for name in identity(self.at.run, self.at.contract)]
        has = table.rows().select(*(F.col(quoted(each.name)).alias(f"k{place}") for place, each in enumerate(named)))
        found = [member("text", each) for each in named]
        other = [
            F.get_json_object("text", f"$['{each.name}']").isNotNull() & value.isNull()
            for each, value in zip(named, found, strict=True)
        ]
        same = [value.eqNullSafe(F.col(f"k{place}")) for place, value in enumerate(found)]
        return rows.join(has, reduce(and_, [*same, ~reduce(or_, other)]), "left_anti")


def _without_texts(rows: DataFrame, table: Table) -> DataFrame:
    has = table.rows().select(F.col("row").alias("known")).where(F.col("known") != "")
    return rows.join(has, F.col("text") == F.col("known"), "left_anti")


def _without_places(rows: DataFrame, table: Table, plan: Plan) -> DataFrame:
    has = table.rows().where(place_of(plan, None).isNotNull())
    same: Column = (F.col("file") == F.col("k0")) & (F.col("number") == F.col("k1"))
    known = has.select(F.col("_ingest_file").alias("k0"), F.col("_ingest_row").alias("k1"))
    return rows.join(known, same, "left_anti")
