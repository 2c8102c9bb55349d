"""The database source: rows above the watermark, or all of them, frozen as SQL, read once and landed."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.sources.jdbc import Dialect, JdbcSource
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import failure_of
from lakehouse_jobs.ingest.landing import Landed
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.rows import typed_rows
from lakehouse_jobs.ingest.source import Idle, Surroundings
from lakehouse_jobs.ingest.sources.jdbc.columns import Column
from lakehouse_jobs.ingest.sources.jdbc.database import Database
from lakehouse_jobs.ingest.sources.jdbc.dialects import Sql
from lakehouse_jobs.ingest.sources.jdbc.drivers import hide_passwords
from lakehouse_jobs.ingest.sources.jdbc.extraction import FLAW, Reading
from lakehouse_jobs.ingest.sources.jdbc.faults import fault
from lakehouse_jobs.ingest.sources.jdbc.instants import length, nanoseconds
from lakehouse_jobs.ingest.sources.jdbc.planning import Planner, window_of
from lakehouse_jobs.ingest.sources.jdbc.postgres import POSTGRES
from lakehouse_jobs.ingest.sources.jdbc.redshift import REDSHIFT
from lakehouse_jobs.ingest.sources.jdbc.repeats import Repeats
from lakehouse_jobs.ingest.sources.jdbc.snowflake import SNOWFLAKE
from lakehouse_jobs.ingest.sources.jdbc.statements import Statements
from lakehouse_jobs.ingest.work import WindowWork
from lakehouse_jobs.storage import to_hadoop

DIALECTS: Final[Mapping[Dialect, Sql]] = {
    Dialect.POSTGRES: POSTGRES,
    Dialect.REDSHIFT: REDSHIFT,
    Dialect.SNOWFLAKE: SNOWFLAKE,
}
_LOG: Final = logging.getLogger(__name__)
_KEPT: Final = timedelta(hours=20)
"""Age up to which a past state is surely there still: Snowflake keeps them for a day by default."""

_DIRECT_COMMIT: Final = ("mapreduce.fileoutputcommitter.algorithm.version", "2")


class Jdbc:
    """The database source of one run."""

    cells = False

    def __init__(self, source: JdbcSource, surroundings: Surroundings) -> None:
        self._source = source
        self._at = surroundings
        self.place = f"{source.url.partition('?')[0]} {source.table or '(query)'}"

    @cached_property
    def _database(self) -> Database:
        sql = DIALECTS[self._source.dialect]
        hide_passwords(self._at.spark)
        return Database(
            spark=self._at.spark,
            url=self._source.url,
            place=self.place,
            sql=sql,
            properties=sql.log_in(SourceCredentials()),
        )

    @cached_property
    def _columns(self) -> Sequence[Column]:
        with self._database.session() as session:
            return session.columns(self._statements().shape())

    @cached_property
    def _planner(self) -> Planner:
        return Planner(run=self._at.run, source=self._source, statements=self._statements(), columns=self._columns)

    @property
    def _repeats(self) -> Repeats:
        return Repeats(run=self._at.run, contract=self._at.contract)

    def _statements(self, snapshot: str | None = None) -> Statements:
        return Statements(sql=self._database.sql, source=self._source, snapshot=snapshot)

    def check(self) -> None:
        """Log in, and raise for a table or columns that are not there, or not fit for what they are to do."""
        self._repeats.check()
        self._planner.check()

    def next_work(self, committed: Sequence[Plan], batch: int) -> WindowWork | None:  # noqa: ARG002 (the protocol's)
        """Freeze the bounds of the rows that are new, and how they are split."""
        with self._database.session() as session:
            return self._planner.next_work(session, committed)

    def again(self, committed: Sequence[Plan], batch: int, wanted: BackfillRange) -> WindowWork | None:  # noqa: ARG002 (the protocol's)
        """Freeze the bounds of a range, as far as it was read before."""
        with self._database.session() as session:
            return self._planner.again(session, committed, wanted)

    def can_resume(self, plan: Plan) -> bool:
        """Tell whether the database still has the state that the plan is about; bounds alone hold for ever."""
        snapshot = _snapshot(window_of(plan))
        if snapshot is None or self._at.landing.found(plan.batch):
            return True
        return nanoseconds(self._at.now) - nanoseconds(snapshot) < length(_KEPT)

    def headers(self, plan: Plan) -> list[tuple[str, ...]]:  # noqa: ARG002 (the protocol's)
        """Give the columns of the table or query."""
        return [tuple(column.name for column in self._columns)]

    def rows(self, plan: Plan) -> DataFrame:
        """Land the planned rows, unless an earlier attempt did, and describe what was landed."""
        landed = self._at.landing.found(plan.batch) or self._land(plan)
        _LOG.info("%d rows landed by run %s", landed.rows, landed.run)
        rows = self._read(landed)
        rows = rows if plan.backfill else self._repeats.left_out(rows, window_of(plan))
        part = F.regexp_extract("_metadata.file_name", r"part-([0-9]+)", 1).cast("int")
        file = F.concat(F.lit(f"{self.place}#"), part)
        return typed_rows(rows, self._at.contract, file=file, number=F.col("_metadata.row_index") + 1, flaw=FLAW)

    def _read(self, landed: Landed) -> DataFrame:
        reader = self._at.spark.read.option("__globPaths__", "false").option("recursiveFileLookup", "true")
        return reader.parquet(*map(to_hadoop, landed.files))

    def _land(self, plan: Plan) -> Landed:
        work = window_of(plan)
        split_by = self._source.partition.column if self._source.partition and work.partitions else None
        reading = Reading(
            database=self._database,
            columns=self._columns,
            contract=self._at.contract,
            fetch_size=self._source.fetch_size,
            zone=self._source.time_zone,
        )
        query = self._statements(_snapshot(work)).rows(self._columns, self._planner.bounds(work), split_by)
        folder = self._at.landing.folder(plan.batch, self._at.run.id)
        _LOG.info("reading: %s", query)
        try:
            writer = reading.rows(query, work.partitions).write.mode("overwrite").option(*_DIRECT_COMMIT)
            writer.parquet(to_hadoop(folder))
        except Exception as error:
            raise fault(error, where=f"reading {self.place}") or failure_of(
                error, where=f"reading {self.place}", side="Source"
            ) from error
        return self._at.landing.finish(plan.batch, self._found_in(folder))

    def _found_in(self, folder: str) -> Landed:
        listed = [each for each in self._at.storage.list(folder) if each.uri.endswith(".parquet")]
        files = tuple(sorted(each.uri for each in listed))
        found = Landed(run=self._at.run.id, files=files, rows=0, bytes=sum(each.size for each in listed))
        return found.model_copy(update={"rows": self._read(found).count()})

    def require_unchanged(self, plan: Plan) -> None:
        """Raise nothing: what was landed is what is committed, whatever became of the table since."""

    def idle(self, committed: Sequence[Plan]) -> Idle:
        """Say that there is nothing above the watermark."""
        last = committed[-1].work if committed else None
        if not isinstance(last, WindowWork):
            return Idle(reason="NoNewRows", message=f"{self.place} has no rows to read yet.", newest_input=None)
        return Idle(
            reason="NoNewRows",
            message=f"{self.place} has no rows with {last.cursor} above {last.watermark} that are due.",
            newest_input=last.newest_input,
        )


def _snapshot(work: WindowWork) -> str | None:
    """Give the moment whose state a plan reads: that of one that reads everything, if it froze any."""
    return work.until if work.cursor is None else None
