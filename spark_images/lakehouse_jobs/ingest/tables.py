"""Delta tables: which batch one stands at, whether rows fit it, and appends that happen at most once per batch."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from delta.exceptions import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)
from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import ArrayType, LongType, StringType, StructType, TimestampType

from lakehouse_jobs.failures import spec_wrong, unavailable
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
_CONFLICTS: Final = (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
    ProtocolChangedException,
)
Clauses = Callable[[DeltaMergeBuilder], DeltaMergeBuilder]
"""What a merge does with rows that match, and with those that do not."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A batch's commit: its number for Delta (`app` and `batch`) and the text kept with it."""

    app: str
    batch: int
    metadata: str


@dataclass(frozen=True, kw_only=True)
class Committed:
    """A commit as the table's history has it."""

    version: int
    metadata: str
    metrics: Mapping[str, str]


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

    def partitioned_by(self) -> tuple[str, ...]:
        """Give the columns of the partitions, in their order; none if there is no table."""
        names = str(self._snapshot().metadata().partitionColumns().mkString("\n"))
        return tuple(names.split("\n")) if names else ()

    def require_columns(self, wanted: StructType) -> None:
        """Raise SchemaMismatch, naming the columns, when rows of these columns cannot be appended."""
        if self.version() is None:
            return
        has = {field.name.lower(): field for field in self.rows().schema}
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

    def merge(self, changes: DataFrame, on: Column, clauses: Clauses, commit: Commit) -> None:
        """Merge changes as one commit, likewise; the table's columns are `t`'s there, those of the changes `s`'s."""
        with self._keyed(commit) as session:
            target = DeltaTable.forPath(session, self._path).alias("t")
            clauses(target.merge(changes.alias("s"), on)).execute()

    def _save(self, writer: DataFrameWriter, commit: Commit) -> None:
        writer = writer.format("delta").option("txnAppId", commit.app).option("txnVersion", commit.batch)
        with self._explained():
            writer.option("userMetadata", commit.metadata).save(self._path)

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
        with self._explained():
            yield session

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except AnalysisException as error:
            raise self._refused(error) from error
        except _CONFLICTS as error:
            raise unavailable(
                "CommitConflict",
                f"table {self.uri}: another writer changed it at the same moment ({type(error).__name__}). Nothing was "
                "lost, and the next attempt tries again; if it happens often, give the writers different times.",
            ) from error

    def commit_with(self, beginning: str) -> Committed | None:
        """Find the latest commit whose metadata begins with a text."""
        if self.version() is None:
            return None
        history = DeltaTable.forPath(self._spark, self._path).history()
        found = history.where(history.userMetadata.startswith(beginning)).head(1)
        if not found:
            return None
        return Committed(version=found[0].version, metadata=found[0].userMetadata, metrics=found[0].operationMetrics)

    def rows(self, version: int | None = None) -> DataFrame:
        """Give all rows, those of an earlier version if one is named."""
        reader = self._spark.read.format("delta")
        return (reader if version is None else reader.option("versionAsOf", version)).load(self._path)

    def size(self) -> int:
        """Give the size of the files in bytes."""
        return int(self._snapshot().sizeInBytes())

    def rows_of(self, run: str, batch: int) -> int:
        """Count the rows that a batch left here."""
        if self.version() is None:
            return 0
        return self.rows().where(_of(run, batch)).count()

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
