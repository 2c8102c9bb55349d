"""Rows that a lookback reads again, and how those that are in the table already are told from late ones."""

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import quoted
from lakehouse_api.run import RunSpec
from lakehouse_api.target import TargetMode
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.ingest.tables import Table
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
        """Name the columns of which two states of rows are never the same: the keys, and the cursor."""
        cursor = self.run.job.incremental.cursor if self.run.job.incremental else ""
        return [*self.contract.schema.get("x-keys", []), cursor]

    def check(self) -> None:
        """Raise KeysMissing when it could not be told what is in the table already."""
        names = self.identity
        if self.matter and (len(names) == 1 or not set(names) <= self.contract.names):
            raise spec_wrong(
                "KeysMissing",
                "incremental.lookback reads rows again, and only keys tell which of them the table has: add x-keys to "
                f"the contract, and {', '.join(names)} to its properties, or merge instead of appending.",
            )

    def left_out(self, spark: SparkSession, rows: DataFrame, work: WindowWork) -> DataFrame:
        """Leave out rows that are in the table or its quarantine; `work` says since when there can be any."""
        target = Table(spark, self.run.job.target.uri)
        if not self.matter or work.after is None or target.version() is None:
            return rows
        names = [quoted(name) for name in self.identity]
        since = F.col(names[-1]) > F.lit(work.after)
        table = spark.read.format("delta").load(to_hadoop(target.uri)).where(since).select(*names)
        same = reduce(
            lambda so_far, name: so_far & (rows[name] == table[name]), names[1:], rows[names[0]] == table[names[0]]
        )
        return rows.join(table, same, "left_anti")
