"""Delta tables: which batch one stands at, whether rows fit it, and appends that happen at most once per batch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import ArrayType, LongType, StringType, StructType, TimestampType

from lakehouse_api.columns import quoted
from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.storage import to_hadoop

PROVENANCE: Final = (
    StructType()
    .add("_ingest_run", StringType())
    .add("_ingest_batch", LongType())
    .add("_ingest_file", StringType())
    .add("_ingest_row", LongType())
    .add("_ingest_time", TimestampType())
)
REASONS: Final = ArrayType(
    StructType().add("path", StringType()).add("keyword", StringType()).add("message", StringType())
)
QUARANTINE: Final = (
    StructType()
    .add("row", StringType())
    .add("reasons", REASONS)
    .add("contract", StringType())
    .add("contract_version", StringType())
)
_NOT_A_TABLE: Final = -1
_GONE: Final = "_ingest_gone"


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A batch's commit: its number for Delta (`app` and `batch`) and the text kept with it."""

    app: str
    batch: int
    metadata: str


@dataclass(frozen=True, kw_only=True)
class Creation:
    """What holds for a table from its first commit on."""

    partition_by: tuple[str, ...] = ()
    properties: Mapping[str, str]


class Table:
    """A Delta table by its URI, which need not exist yet."""

    def __init__(self, spark: SparkSession, uri: str) -> None:
        self._spark = spark
        self.uri = uri
        self._path = to_hadoop(uri)

    def version(self) -> int | None:
        """Give the latest version, or None when there is no table."""
        version = int(self._snapshot().version())
        return None if version == _NOT_A_TABLE else version

    def committed(self, app: str) -> int:
        """Give the number of the last batch that `app` committed, 0 when there is none."""
        snapshot = self._snapshot()
        if int(snapshot.version()) == _NOT_A_TABLE:
            return 0
        found = snapshot.transactions().get(app)
        return int(found.get()) if found.isDefined() else 0

    def columns(self) -> StructType | None:
        """Give the columns, or None when there is no table."""
        return None if self.version() is None else self._spark.read.format("delta").load(self._path).schema

    def require_columns(self, wanted: StructType) -> None:
        """Raise SchemaMismatch, naming the columns, when rows of these columns cannot be appended."""
        if self.version() is None:
            return
        has = {field.name.lower(): field for field in self._spark.read.format("delta").load(self._path).schema}
        missing = [field.name for field in wanted if field.name.lower() not in has]
        other = [
            f"{field.name} is {has[field.name.lower()].dataType.simpleString()}, not {field.dataType.simpleString()}"
            for field in wanted
            if field.name not in missing and has[field.name.lower()].dataType != field.dataType
        ]
        if missing or other:
            raise spec_wrong("SchemaMismatch", self._mismatch(missing, other))

    def append(self, rows: DataFrame, commit: Commit, creation: Creation) -> None:
        """Append rows as one commit; if the batch was committed before, nothing happens."""
        writer = rows.write.mode("append")
        if self.version() is None:
            writer = writer.options(**creation.properties)
        if creation.partition_by:
            writer = writer.partitionBy(*creation.partition_by)
        self._save(writer, commit)

    def overwrite(self, rows: DataFrame, commit: Commit) -> None:
        """Replace all rows as one commit; if the batch was committed before, nothing happens."""
        self._save(rows.write.mode("overwrite"), commit)

    def replace(self, rows: DataFrame, by: Sequence[str], commit: Commit) -> None:
        """Replace the rows that have the values of new ones in the columns `by`, likewise."""
        places = rows.select(*map(column, by), F.lit(True).alias(_GONE)).distinct()  # noqa: FBT003 (a literal)
        changes = rows.withColumn(_GONE, F.lit(False)).unionByName(places, allowMissingColumns=True)  # noqa: FBT003
        gone = column(_GONE, of="s")
        same = (column(name, of="t").eqNullSafe(column(name, of="s")) for name in by)
        values: dict[str, str | Column] = {quoted(name): column(name, of="s") for name in rows.columns}
        with self._keyed(commit) as session:
            target = DeltaTable.forPath(session, self._path).alias("t")
            merge = target.merge(changes.alias("s"), reduce(Column.__and__, same, gone))
            merge.whenMatchedDelete().whenNotMatchedInsert(~gone, values).execute()

    def _save(self, writer: DataFrameWriter, commit: Commit) -> None:
        writer = writer.format("delta").option("txnAppId", commit.app).option("txnVersion", commit.batch)
        try:
            writer.option("userMetadata", commit.metadata).save(self._path)
        except AnalysisException as error:
            raise self._refused(error) from error

    @contextmanager
    def _keyed(self, commit: Commit) -> Iterator[SparkSession]:
        """Give a session whose writes are this commit.

        A merge takes the batch's number from its session alone, and there it would hold for every other write: Delta
        would take those for repetitions and drop them. So it gets a session that nothing else uses.
        """
        clone = self._spark._jsparkSession.cloneSession()  # noqa: SLF001 (newSession would lose the run's settings)
        session = SparkSession(self._spark.sparkContext, clone)
        session.conf.set("spark.databricks.delta.write.txnAppId", commit.app)
        session.conf.set("spark.databricks.delta.write.txnVersion", commit.batch)
        session.conf.set("spark.databricks.delta.commitInfo.userMetadata", commit.metadata)
        try:
            yield session
        except AnalysisException as error:
            raise self._refused(error) from error

    def commit_with(self, beginning: str) -> tuple[int, str] | None:
        """Find the latest commit whose metadata begins with a text, as its version and its metadata."""
        history = DeltaTable.forPath(self._spark, self._path).history()
        found = history.where(history.userMetadata.startswith(beginning)).select("version", "userMetadata").head(1)
        return (int(found[0].version), str(found[0].userMetadata)) if found else None

    def rows_of(self, run: str, batch: int) -> int:
        """Count the rows that a batch left here."""
        if self.version() is None:
            return 0
        return self._spark.read.format("delta").load(self._path).where(_of(run, batch)).count()

    def delete_rows_of(self, run: str, batch: int) -> None:
        """Delete the rows that a batch left here."""
        if self.version() is not None:
            DeltaTable.forPath(self._spark, self._path).delete(_of(run, batch))

    def _snapshot(self) -> Any:
        jvm: Any = self._spark._jvm  # noqa: SLF001 (Delta shows transactions to the JVM only)
        session = self._spark._jsparkSession  # noqa: SLF001 (the same)
        none = jvm.scala.Option.empty()
        return jvm.org.apache.spark.sql.delta.DeltaLog.forTable(session, self._path).update(False, none, none)  # noqa: FBT003 (a Java call)

    def _mismatch(self, missing: list[str], other: list[str]) -> str:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has other types: {'; '.join(other)}"] if other else []
        return (
            f"table {self.uri} {' and '.join(parts)}. Change the table (ALTER TABLE ... ADD COLUMNS) or the contract, "
            "or write to another table."
        )

    def _refused(self, error: AnalysisException) -> Exception:
        name = error.getCondition() or ""
        text = " ".join(str(error).split())[:400]
        if "CONFIGURATION" in name or "PROPERT" in name:
            return spec_wrong("TablePropertyRefused", f"target.properties: {text}")
        return spec_wrong("WriteRefused", f"table {self.uri}: {text}")


def _of(run: str, batch: int) -> Column:
    return (F.col("_ingest_batch") == batch) & (F.col("_ingest_run") == run)


def column(name: str, *, of: str | None = None) -> Column:
    """Give a column by its name, whatever characters that has; of one side of a merge if there are two."""
    return F.col(f"{of}.{quoted(name)}" if of else quoted(name))
