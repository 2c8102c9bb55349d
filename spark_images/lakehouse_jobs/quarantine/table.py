"""The quarantine of a table: its rows are open until they are replayed or discarded. No row is ever deleted.

A row is marked as replayed before the batch that replays it is committed to the table, so the mark alone says nothing:
it counts once the batch has a result. `reopen` takes back the marks of batches that never got one.
"""

from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Final

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import LongType, StringType, StructType, TimestampType

from lakehouse_api.quarantine import RowFilter
from lakehouse_jobs.ingest.evolution import evolution, evolve
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.tables import Table
from lakehouse_jobs.ingest.work import QuarantinedBatch
from lakehouse_jobs.storage import to_hadoop

REPLAYED: Final = "replayed"
DISCARDED: Final = "discarded"
IDENTITY: Final = ("_ingest_run", "_ingest_batch", "_ingest_file")
"""With `_ingest_row`, what tells a row from all others."""
_STATUS: Final = (
    StructType()
    .add("_status", StringType())
    .add("_status_by", StringType())
    .add("_status_batch", LongType())
    .add("_status_time", TimestampType())
    .add("_status_reason", StringType())
)

_OPEN: Final[dict[str, str | Column]] = dict.fromkeys(_STATUS.names, "NULL")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What a row becomes, by whom and when (RFC 3339)."""

    status: str
    by: str
    time: str
    batch: int | None = None
    reason: str | None = None

    @property
    def columns(self) -> dict[str, str | Column]:
        """Give the columns to be set."""
        values = (self.status, self.by, self.batch, self.time, self.reason)
        return {field.name: F.lit(value).cast(field.dataType) for field, value in zip(_STATUS, values, strict=True)}


class Quarantine:
    """A quarantine table by its URI; it exists once a row was refused."""

    def __init__(self, spark: SparkSession, uri: str) -> None:
        self._spark = spark
        self._path = to_hadoop(uri)
        self._table = Table(spark, uri)

    @property
    def exists(self) -> bool:
        """Tell whether a row was ever refused."""
        return self._table.version() is not None

    def prepare(self) -> None:
        """Add the columns of a row's status, once."""
        changes = evolution(self._table.uri, self._table.columns(), _STATUS, widen=False)
        evolve(self._spark, self._table.uri, changes, why="quarantined rows get a status")

    def open_rows(self, rows: RowFilter, plan: Plan | None = None) -> DataFrame:
        """Give the open rows that a filter means; those that `plan` marked are open to it."""
        return self._rows().where(_is_open(plan) & _meant(rows))

    def batches_of(self, rows: RowFilter) -> list[QuarantinedBatch]:
        """Name the batches that have such rows."""
        return self._pairs(self.open_rows(rows), "_ingest_run", "_ingest_batch")

    def replaying(self) -> list[QuarantinedBatch]:
        """Name the batches that marked rows as replayed."""
        return self._pairs(self._rows().where(F.col("_status") == REPLAYED), "_status_by", "_status_batch")

    def of_batches(self, rows: DataFrame, batches: list[QuarantinedBatch]) -> DataFrame:
        """Keep the rows that these batches quarantined."""
        pairs = [(each.run, each.batch) for each in batches]
        known = self._spark.createDataFrame(pairs, "_ingest_run string, _ingest_batch bigint")
        return rows.join(F.broadcast(known), ["_ingest_run", "_ingest_batch"], "left_semi")

    def mark(self, keys: DataFrame, plan: Plan) -> None:
        """Mark just these rows as replayed by a plan: others that it marked, in an attempt that died, are open again.

        The rows are named by the columns of `IDENTITY` and `_ingest_row`.
        """
        mark = Mark(status=REPLAYED, by=plan.run, batch=plan.batch, time=plan.planned_at)
        same = [F.col(f"q.{name}").eqNullSafe(F.col(f"k.{name}")) for name in (*IDENTITY, "_ingest_row")]
        merge = self._delta().alias("q").merge(keys.distinct().alias("k"), reduce(and_, same))
        merge = merge.whenMatchedUpdate(_is_open(plan), mark.columns)
        merge.whenNotMatchedBySourceUpdate(_is_marked(plan.run, plan.batch), _OPEN).execute()

    def take_up(self, place: Column, plan: Plan) -> None:
        """Mark the open rows that have a place in the range of a plan, which judges their source's rows anew."""
        mark = Mark(status=REPLAYED, by=plan.run, batch=plan.batch, time=plan.planned_at)
        own = (F.col("_ingest_run") == plan.run) & (F.col("_ingest_batch") == plan.batch)
        self._delta().update(_is_open(None) & place.isNotNull() & ~own, mark.columns)

    def discard(self, rows: RowFilter, mark: Mark) -> int:
        """Mark the open rows that a filter means, and count those that this request has marked, now or before."""
        self._delta().update(_is_open(None) & _meant(rows), mark.columns)
        return self._rows().where((F.col("_status") == mark.status) & (F.col("_status_by") == mark.by)).count()

    def reopen(self, run: str, batch: int) -> None:
        """Take back the marks of a batch that was not committed."""
        self._delta().update(_is_marked(run, batch), _OPEN)

    def statuses(self) -> dict[str, int]:
        """Count the rows by status."""
        counted = self._rows().groupBy(F.coalesce("_status", F.lit("open")).alias("status")).count()
        return {row.status: int(row["count"]) for row in counted.collect()}

    def _rows(self) -> DataFrame:
        return self._spark.read.format("delta").load(self._path)

    def _delta(self) -> DeltaTable:
        return DeltaTable.forPath(self._spark, self._path)

    def _pairs(self, rows: DataFrame, run: str, batch: str) -> list[QuarantinedBatch]:
        found = rows.select(F.col(run).alias("run"), F.col(batch).alias("batch")).distinct().collect()
        return sorted((QuarantinedBatch(run=row.run, batch=row.batch) for row in found), key=lambda one: one.batch)


def _is_open(plan: Plan | None) -> Column:
    unmarked = F.col("_status").isNull()
    return unmarked | _is_marked(plan.run, plan.batch) if plan else unmarked


def _is_marked(run: str, batch: int) -> Column:
    return (F.col("_status") == REPLAYED) & (F.col("_status_by") == run) & (F.col("_status_batch") == batch)


def _meant(rows: RowFilter) -> Column:
    meant = F.lit(True)  # noqa: FBT003 (a literal)
    if rows.run:
        meant = meant & (F.col("_ingest_run") == rows.run)
    if rows.keyword or rows.path:
        meant = meant & F.exists("reasons", lambda reason: _is_reason(reason, rows))
    return meant


def _is_reason(reason: Column, rows: RowFilter) -> Column:
    found = F.lit(True)  # noqa: FBT003 (a literal)
    if rows.keyword:
        found = found & (reason["keyword"] == rows.keyword)
    if rows.path:
        found = found & ((reason["path"] == rows.path) | F.startswith(reason["path"], F.lit(f"{rows.path}/")))
    return found
