"""How the tables of a run stand after it. Looked up only for lineage, so nothing here fails a run."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from lakehouse_api.run import RunSpec
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.tables import Table
from lakehouse_jobs.ingest.targets.shape import mark
from lakehouse_jobs.storage import Storage, folder

_LOG: Final = logging.getLogger(__name__)
_COMMIT_BYTES: Final = 1 << 20
"""A commit's own entry is the first of its file; those of its files follow."""
_FILES: Final = ("numFiles", "numTargetFilesAdded")
_BYTES: Final = ("numOutputBytes", "numTargetBytesAdded")


@dataclass(frozen=True, kw_only=True)
class TableSeen:
    """A Delta table: no version, no table. `files` and `size` in bytes are what the run added, where that is known."""

    version: int | None = None
    columns: StructType | None = None
    files: int | None = None
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The tables that a run may have written."""

    target: TableSeen = field(default_factory=TableSeen)
    quarantine: TableSeen = field(default_factory=TableSeen)
    merged: TableSeen = field(default_factory=TableSeen)

    @classmethod
    def by(cls, spark: SparkSession, run: RunSpec, batches: Sequence[BatchOutcome]) -> Self:
        """Look at the tables; of one that cannot be seen nothing is said."""
        look = _Look(spark=spark, run=run)
        target = run.job.target
        refusing = [batch for batch in batches if batch.rows_quarantined]
        return cls(
            target=look.at(target.uri, {each.table_version: each for each in batches}),
            quarantine=look.at(target.quarantine_uri, {each.quarantine_version: each for each in refusing}),
            merged=look.at(target.into_uri, {each.merged_version: each for each in batches}),
        )


@dataclass(frozen=True, kw_only=True)
class _Look:
    spark: SparkSession
    run: RunSpec

    def at(self, uri: str | None, batches: Mapping[int | None, BatchOutcome]) -> TableSeen:
        try:
            return self._seen(uri, batches) if uri else TableSeen()
        except Exception:  # noqa: BLE001 (logged; nothing is said of the table)
            _LOG.warning("lineage: %s cannot be looked at", uri, exc_info=True)
            return TableSeen()

    def _seen(self, uri: str, batches: Mapping[int | None, BatchOutcome]) -> TableSeen:
        table = Table(self.spark, uri)
        metrics = [self._metrics(uri, version, batch) for version, batch in batches.items()]
        return TableSeen(
            version=table.version(),
            columns=table.columns(),
            files=_total(metrics, _FILES),
            size=_total(metrics, _BYTES),
        )

    def _metrics(self, uri: str, version: int | None, batch: BatchOutcome) -> Mapping[str, str]:
        """Read what Delta counted of a batch's commit; nothing if the version is another writer's."""
        if version is None:
            return {}
        head = Storage(self.spark).head(f"{folder(uri)}/_delta_log/{version:020}.json", limit=_COMMIT_BYTES) or b""
        commit: dict[str, Any] = json.loads(head.partition(b"\n")[0] or b"{}").get("commitInfo", {})
        ours = str(commit.get("userMetadata", "")).startswith(mark(self.run, batch.batch))
        return commit.get("operationMetrics", {}) if ours else {}


def _total(commits: Sequence[Mapping[str, str]], names: Sequence[str]) -> int | None:
    found = [next((int(commit[name]) for name in names if name in commit), None) for commit in commits]
    known = [each for each in found if each is not None]
    return sum(known) if known and len(known) == len(found) else None
