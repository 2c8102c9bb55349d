"""Where the next window begins, decided from committed plans alone. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Self

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.run import RunSpec
from lakehouse_jobs.failures import JobError, spec_wrong
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.points import moment as moment_of
from lakehouse_jobs.ingest.sources.rest.api import Window, moment, written
from lakehouse_jobs.ingest.work import WindowWork

_FINEST: Final = timedelta(seconds=1)
"""The finest step in which every API takes a bound; what it gives too much is left out."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an earlier batch read; `watermark` None: nothing was read, or all is to be read again."""

    cursor: str | None
    watermark: datetime | None

    @classmethod
    def of(cls, committed: Sequence[Plan], run: RunSpec) -> Self:
        """Read it from the last plan; raise WatermarkLost if that one read by something else."""
        cursor = run.job.incremental.cursor if run.job.incremental else None
        last = committed[-1] if committed else None
        if cursor is None or last is None or (run.job.reread or last.reread) != last.reread:
            return cls(cursor=cursor, watermark=None)
        work = window_work(last)
        if work.cursor != cursor:
            raise _lost(f"batch {last.batch} read by {work.cursor or 'no cursor'}, and the cursor is {cursor} now")
        before, now = last.source.rest, run.job.source.rest
        if before is None or now is None or before.identity != now.identity:
            raise _lost(f"batch {last.batch} read other records than those that source.rest names now")
        return cls(cursor=cursor, watermark=moment(work.watermark or ""))

    def window(self, until: datetime) -> Window:
        """Give the records that are new."""
        return Window(cursor=self.cursor, after=self.watermark, until=until) if self.cursor else Window()


def _lost(why: str) -> JobError:
    return spec_wrong(
        "WatermarkLost",
        f"{why}, so it is unknown what is new. Set it back, or let everything be read again (annotation "
        "lakehouse.dev/reread).",
    )


def again(wanted: BackfillRange, progress: Progress, *, dated: bool) -> WindowWork | None:
    """Freeze what of a range was read before; None if nothing was."""
    watermark = progress.watermark
    if watermark is None or wanted.from_ is None or wanted.until is None:
        return None
    first, end = (_bound(each, dated=dated) for each in (wanted.from_, wanted.until))
    if first > watermark:
        return None
    reached = end > watermark
    return WindowWork(
        cursor=progress.cursor,
        first=_text(first, dated=dated),
        end=None if reached else _text(end, dated=dated),
        until=_text(watermark, dated=dated) if reached else None,
        watermark=_text(watermark, dated=dated),
        newest_input=written(watermark),
    )


def _bound(point: str, *, dated: bool) -> datetime:
    at = moment_of(point)
    if dated and at.time() != time():
        raise spec_wrong("BackfillRefused", f"{point} is no date, and the records of this source have dates.")
    return at


def work_of(window: Window, run: RunSpec, *, dated: bool) -> WindowWork:
    """Freeze a window, from as far back as late records are looked for."""
    if window.cursor is None or window.until is None:
        return WindowWork()
    back = run.job.incremental.lookback if run.job.incremental else None
    after = window.after - back if window.after and back else window.after
    until = _text(window.until, dated=dated)
    return WindowWork(
        cursor=window.cursor,
        after=_text(after, dated=dated) if after else None,
        until=until,
        watermark=until,
        newest_input=written(window.until),
    )


def planned_window(plan: Plan) -> Window:
    """Give the window that a plan froze."""
    return window_of(window_work(plan))


def window_of(work: WindowWork) -> Window:
    """Give the window of a work. Where a backfill begins and ends, an API is asked for a little more."""
    texts = (work.after, work.until, work.first, work.end)
    after, until, first, end = (moment(text) if text else None for text in texts)
    after = first - _FINEST if first else after
    return Window(cursor=work.cursor, after=after, until=until or end, first=first, end=end)


def window_work(plan: Plan) -> WindowWork:
    """Give a plan's work, which must be a window; another kind of source has other plans."""
    if not isinstance(plan.work, WindowWork):
        raise TypeError(f"batch {plan.batch} reads {plan.work.kind}, not a window")
    return plan.work


def _text(at: datetime, *, dated: bool) -> str:
    return f"{at:%Y-%m-%d}" if dated else written(at)
