"""Rows that a lookback reads again, and how those that were judged before are told from late ones."""

from dataclasses import dataclass
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import quoted
from lakehouse_api.run import RunSpec
from lakehouse_api.target import TargetMode
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.ingest.tables import Table
from lakehouse_jobs.ingest.versions import version_columns
from lakehouse_jobs.ingest.work import WindowWork
from lakehouse_jobs.storage import to_hadoop


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """The rows that a pipeline reads again. A merge takes them in by itself; where rows are appended, keys decide."""

    run: RunSpec
    contract: Contract

    @property
    def matter(self) -> bool:
        """Tell whether rows are read again that must not be appended again."""
        incremental = self.run.job.incremental
        return bool(incremental and incremental.lookback) and self.run.job.target.mode is TargetMode.APPEND

    @property
    def identity(self) -> list[str]:
        """Name the columns by which a version of a row is known; none: it is not."""
        incremental, merge = self.run.job.incremental, self.run.job.target.merge
        keys = self.contract.keys or (merge.keys if merge else [])
        return version_columns(keys, incremental.cursor if incremental else None)

    def check(self) -> None:
        """Raise KeysMissing when it could not be told what was judged already."""
        if self.matter and not (self.contract.keys and set(self.identity) <= self.contract.names):
            raise spec_wrong(
                "KeysMissing",
                "incremental.lookback reads rows again, and only keys tell which of them the table has: add x-keys to "
                f"the contract, and {', '.join(self.identity) or 'the cursor'} to its properties, or merge instead of "
                "appending.",
            )

    def left_out(self, rows: DataFrame, work: WindowWork) -> DataFrame:
        """Leave out rows whose version was judged before; `work` says since when there can be any."""
        if work.after is None or not self.identity or not set(self.identity) <= self.contract.names:
            return rows
        target = self.run.job.target
        refused = [
            F.get_json_object("row", f"$['{name}']").try_cast(rows.schema[name].dataType) for name in self.identity
        ]
        rows = _without(rows, target.quarantine_uri, refused, self.identity, work.after)
        taken = [F.col(quoted(name)) for name in self.identity]
        return _without(rows, target.uri, taken, self.identity, work.after) if self.matter else rows


def _without(rows: DataFrame, uri: str, columns: list[Column], names: list[str], after: str) -> DataFrame:
    spark = rows.sparkSession
    if Table(spark, uri).version() is None:
        return rows
    known = spark.read.format("delta").load(to_hadoop(uri)).where(columns[-1] > F.lit(after))
    versions = known.select(*(column.alias(f"k{place}") for place, column in enumerate(columns)))
    same = [rows[quoted(name)].eqNullSafe(versions[f"k{place}"]) for place, name in enumerate(names)]
    return rows.join(versions, reduce(and_, same), "left_anti")
