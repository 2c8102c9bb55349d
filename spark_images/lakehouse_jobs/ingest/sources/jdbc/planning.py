"""What the next batch reads, from a few small questions to the database and the plans before it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.run import ExitCode, RunSpec
from lakehouse_api.sources.jdbc import Dialect, JdbcSource
from lakehouse_jobs.failures import JobError, spec_wrong
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.sources.jdbc.columns import Column, Kind
from lakehouse_jobs.ingest.sources.jdbc.database import Session
from lakehouse_jobs.ingest.sources.jdbc.extraction import FLAW
from lakehouse_jobs.ingest.sources.jdbc.instants import nanoseconds, written
from lakehouse_jobs.ingest.sources.jdbc.statements import Bounds, Statements
from lakehouse_jobs.ingest.sources.jdbc.window import PART, Clock, between, newest, normal, pointed, set_back, split
from lakehouse_jobs.ingest.work import WindowWork

_LOG: Final = logging.getLogger(__name__)
_REREAD: Final = (
    "To read everything once more from the beginning, set the annotation lakehouse.dev/reread to a new value."
)

USUAL_LAG: Final = timedelta(minutes=1)
"""Longer than most transactions, and than a second: many clocks in columns show whole ones."""


def window_of(plan: Plan) -> WindowWork:
    """Give the work of a plan of this source."""
    if not isinstance(plan.work, WindowWork):
        raise _lost(f"batch {plan.batch} was read from a source of another kind")
    return plan.work


def _lost(why: str) -> JobError:
    return spec_wrong("WatermarkLost", f"{why}, so it is unknown where to go on. {_REREAD}")


@dataclass(frozen=True, kw_only=True)
class Planner:
    """The plans of one source, whose columns are known."""

    run: RunSpec
    source: JdbcSource
    statements: Statements
    columns: Sequence[Column]

    @property
    def cursor(self) -> Column | None:
        """Give the column that tells what is new, if the pipeline names one."""
        named = self.run.job.incremental
        return self._column("incremental.cursor", named.cursor) if named else None

    @property
    def zone(self) -> str:
        """Give the zone in which times without one are meant."""
        return self.source.time_zone or "UTC"

    def check(self) -> None:
        """Raise for columns that are not there, or not fit for what they are to do."""
        names = [column.name for column in self.columns]
        twice = {name for name in names if [each.lower() for each in names].count(name.lower()) > 1}
        if twice or {FLAW, PART} & set(names):
            shown = ", ".join(sorted(twice or {FLAW, PART} & set(names)))
            raise spec_wrong(
                "ColumnUnsuited", f"columns {shown} cannot be told apart from others. Rename them in source.jdbc.query."
            )
        self._check_cursor()
        if self.source.partition:
            column = self._column("source.jdbc.partition.column", self.source.partition.column)
            _require(column.kind.divides, "source.jdbc.partition.column", column, "a number, a date or a time")

    def _check_cursor(self) -> None:
        cursor, lookback = self.cursor, self.run.job.incremental and self.run.job.incremental.lookback
        if cursor is None:
            return
        _require(cursor.kind.orders, "incremental.cursor", cursor, "a number, a text, a date or a time")
        if lookback or self.source.lag:
            _require(cursor.kind.timed, "incremental.cursor", cursor, "a date or a time, for lookback or lag to count")

    def _column(self, field: str, name: str) -> Column:
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            has = ", ".join(column.name for column in self.columns[:20])
            raise spec_wrong("ColumnMissing", f"{field}: there is no column {name}; case matters. There are {has}.")
        return found

    def bounds(self, work: WindowWork) -> Bounds:
        """Give the bounds of a plan."""
        if work.cursor is None:
            return Bounds()
        return Bounds(column=self.cursor, after=work.after, until=work.until, first=work.first, end=work.end)

    def next_work(self, session: Session, committed: Sequence[Plan]) -> WindowWork | None:
        """Freeze what the next batch reads; None if nothing is above the watermark."""
        clock = Clock(now=nanoseconds(_value(session, self.statements.sql.clock)), zone=self.zone)
        cursor = self.cursor
        return self._whole(session, clock) if cursor is None else self._window(session, clock, cursor, committed)

    def _whole(self, session: Session, clock: Clock) -> WindowWork:
        parts = self._parts(session, Bounds())
        return WindowWork(
            until=written(clock.now, zone="+00:00") if parts and self._has_past_states else None,
            partitions=parts,
            newest_input=newest(Kind.MOMENT, written(clock.now), self.zone),
        )

    @property
    def _has_past_states(self) -> bool:
        """Connections that read at different times see one state only where past states can be asked for."""
        return self.source.dialect is Dialect.SNOWFLAKE and self.source.table is not None

    def _window(self, session: Session, clock: Clock, cursor: Column, committed: Sequence[Plan]) -> WindowWork | None:
        watermark, incremental = self._watermark(cursor, committed), self.run.job.incremental
        if session.row(self.statements.without_value(cursor)):
            raise _unusable(
                cursor, "some rows have none and would never be read: fill it, or leave them out by a query"
            )
        after = set_back(cursor.kind, watermark, incremental.lookback) if watermark and incremental else None
        ceiling = clock.ceiling(cursor.kind, self.source.lag if self.source.lag is not None else USUAL_LAG)
        until = self._largest(session, cursor, Bounds(column=cursor, after=watermark, until=ceiling))
        if until is None:
            return None
        return WindowWork(
            cursor=cursor.name,
            after=after,
            until=until,
            watermark=until,
            partitions=self._parts(session, Bounds(column=cursor, after=after, until=until)),
            newest_input=newest(cursor.kind, until, self.zone),
        )

    def again(self, session: Session, committed: Sequence[Plan], wanted: BackfillRange) -> WindowWork | None:
        """Freeze what of a range was read before; None if there is nothing."""
        cursor = self.cursor
        watermark = self._watermark(cursor, committed) if cursor else None
        if cursor is None or watermark is None or wanted.from_ is None or wanted.until is None:
            return None
        first, end = (self._point(cursor, each) for each in (wanted.from_, wanted.until))
        work = between(cursor, first=first, end=end, watermark=watermark)
        if work is None or self._largest(session, cursor, self.bounds(work)) is None:
            return None
        newest_input = window_of(committed[-1]).newest_input
        return work.model_copy(
            update={"partitions": self._parts(session, self.bounds(work)), "newest_input": newest_input}
        )

    def _point(self, cursor: Column, text: str) -> str:
        try:
            point = pointed(cursor.kind, text, self.zone)
            self.statements.sql.literal(cursor.kind, point)
        except ValueError as error:
            raise spec_wrong(
                "BackfillRefused", f"{text} is no value of the cursor {cursor.name}, which is of type {cursor.type}."
            ) from error
        return point

    def _largest(self, session: Session, cursor: Column, bounds: Bounds) -> str | None:
        (found,) = session.row(self.statements.largest(cursor, bounds)) or (None,)
        if found is None:
            return None
        try:
            until = normal(cursor.kind, found)
            self.statements.sql.literal(cursor.kind, until)
        except ValueError as error:
            raise _unusable(cursor, f"its largest value cannot be a bound: {error}") from error
        return until

    def _watermark(self, cursor: Column, committed: Sequence[Plan]) -> str | None:
        last = committed[-1] if committed else None
        if last is None or (self.run.job.reread and self.run.job.reread != last.reread):
            return None
        work = window_of(last)
        if work.cursor != cursor.name:
            raise _lost(f"the last batch was read by {work.cursor or 'no cursor'}, not by {cursor.name}")
        before = last.source.chosen
        if isinstance(before, JdbcSource) and before.table != self.source.table:
            raise _lost(f"the last batch was read from {before.table or 'a query'}")
        return work.watermark

    def _parts(self, session: Session, bounds: Bounds) -> tuple[str, ...]:
        wanted = self.source.partition
        if wanted is None:
            return ()
        column = self._column("source.jdbc.partition.column", wanted.column)
        low, high = session.row(self.statements.edges(column, bounds)) or (None, None)
        if low is None or high is None:
            return ()
        try:
            return split(column, low, high, wanted.count, self.statements.sql.literal)
        except ValueError:
            _LOG.warning("rows are not split: %s goes from %s to %s", column.name, low, high)
            return ()


def _value(session: Session, query: str) -> str:
    (found,) = session.row(query) or (None,)
    return found or ""


def _require(fit: bool, field: str, column: Column, wanted: str) -> None:  # noqa: FBT001 (one sentence, four uses)
    if not fit:
        raise spec_wrong(
            "ColumnUnsuited", f"{field}: {column.name} is of type {column.type}, but must be {wanted}. Name another."
        )


def _unusable(cursor: Column, why: str) -> JobError:
    return JobError("CursorUnusable", f"incremental.cursor: {cursor.name}: {why}.", ExitCode.DATA_REFUSED)
