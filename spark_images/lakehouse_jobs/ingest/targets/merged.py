"""A table that changes are merged into, and what its history tells of a merge."""

import json
from dataclasses import dataclass
from functools import reduce
from math import ceil
from operator import and_
from typing import Any, Final

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import StructType

from lakehouse_api.target import History, Merge
from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.ingest.drift import widens_types
from lakehouse_jobs.ingest.evolution import Evolution, evolution, evolve
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import Commit, Creation, Table
from lakehouse_jobs.ingest.targets import scd1, scd2
from lakehouse_jobs.ingest.targets.changes import DELETED, Changes
from lakehouse_jobs.ingest.targets.columns import column

AFTER: Final = "after"
"""In a commit's metadata: the last batch that was merged before, where several are merged as one."""
_TASKS: Final = "spark.sql.adaptive.coalescePartitions.initialPartitionNum"
_BYTES_OF_A_TASK: Final = 32 << 20
_MOST_TASKS: Final = 1000


@dataclass(frozen=True, kw_only=True)
class MergedTable:
    """A table that keeps the newest state of each key that was ever named, or all its states."""

    at: Surroundings
    table: Table
    merge: Merge
    creation: Creation

    @property
    def changes(self) -> Changes:
        """Say how rows are understood."""
        return Changes(merge=self.merge, contract=self.at.contract)

    def check(self) -> None:
        """Raise JobError for columns or conditions that cannot be, or a table that is none of this kind."""
        self.changes.check(self.at.spark)
        if self.table.version() is not None:
            self._require_own_columns()
            self._evolution(self.changes.row)

    def _evolution(self, row: StructType) -> Evolution:
        return evolution(self.table.uri, self.table.columns(), row, widen=widens_types(self.at.run.job.drift))

    def _require_own_columns(self) -> None:
        has = {field.name: field.dataType.simpleString() for field in self.table.rows().schema}
        needs = {field.name: field.dataType.simpleString() for field in self.changes.own_columns}
        wrong = [f"{name} {kind}" for name, kind in needs.items() if has.get(name) != kind]
        if wrong:
            raise spec_wrong(
                "SchemaMismatch",
                f"table {self.table.uri} was not made by merging with these keys and sequence: it lacks "
                f"{', '.join(wrong)}. Merge into another table, or drop this one and read the source again.",
            )

    def bring_up_to_date(self, rows: DataFrame, commit: Commit) -> None:
        """Merge rows as one commit; those that could not be merged are not among them."""
        contract, evolved = self.at.contract, self._evolution(rows.schema)
        evolve(self.at.spark, self.table.uri, evolved, why=f"contract {contract.name} {contract.version}")
        self._size_shuffles(rows)
        history = scd1 if self.merge.history is History.SCD1 else scd2
        try:
            history.bring_up_to_date(self.table, self.changes, self.changes.of(rows), commit, self.creation)
        except PySparkException as error:
            raise self.changes.unevaluable(error) or error from error

    def _size_shuffles(self, rows: DataFrame) -> None:
        """Begin with as many partitions as both sides of the merge need; Spark joins those that turn out small."""
        if self.at.spark.sparkContext.getConf().contains(_TASKS):
            return
        plan: Any = rows._jdf.queryExecution().optimizedPlan()  # noqa: SLF001 (PySpark does not show statistics)
        table = 0 if self.table.version() is None else self.table.size()
        tasks = ceil((int(plan.stats().sizeInBytes()) + table) / _BYTES_OF_A_TASK)
        least = self.at.spark.sparkContext.defaultParallelism
        self.at.spark.conf.set(_TASKS, max(least, min(tasks, _MOST_TASKS)))

    def told(self, outcome: BatchOutcome, beginning: str) -> BatchOutcome:
        """Add what the merge that ended with this batch did, as far as the table's history has it."""
        found = self.table.commit_with(beginning)
        if found is None:
            return outcome
        after = json.loads(found.metadata.partition(": ")[2]).get(AFTER, outcome.batch - 1)
        batch = column("_ingest_batch")
        merged = self.table.rows(found.version).where((batch > after) & (batch <= outcome.batch) & column(DELETED))
        return outcome.model_copy(
            update={
                "rows_inserted": int(found.metrics.get("numTargetRowsInserted", found.metrics.get("numOutputRows", 0))),
                "rows_updated": int(found.metrics.get("numTargetRowsUpdated", 0)),
                "rows_deleted": merged.count(),
                "merged_version": found.version,
            }
        )


def mergeable(rows: DataFrame, changes: Changes) -> DataFrame:
    """Leave out rows that were kept before they had to have a key and a place in the sequence."""
    present = [column(name).isNotNull() for name, _ in changes.nullable]
    return rows.where(reduce(and_, present, F.lit(True)))  # noqa: FBT003 (a literal)
