"""The REST source: a frozen window of an API's records, landed once, then read like files."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.sources.rest import Flavor, RestSource, is_field
from lakehouse_api.target import TargetMode
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import JobError, spec_wrong
from lakehouse_jobs.ingest.landing import Landed
from lakehouse_jobs.ingest.lines import ndjson_lines
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.rows import judged_rows, no_rows
from lakehouse_jobs.ingest.source import Idle, Surroundings
from lakehouse_jobs.ingest.sources.rest import ecb
from lakehouse_jobs.ingest.sources.rest.api import Api
from lakehouse_jobs.ingest.sources.rest.client import Client
from lakehouse_jobs.ingest.sources.rest.extraction import FIRST_ROW, Parts, land
from lakehouse_jobs.ingest.sources.rest.generic import Generic
from lakehouse_jobs.ingest.sources.rest.hubspot import HubSpot
from lakehouse_jobs.ingest.sources.rest.known import unknown
from lakehouse_jobs.ingest.sources.rest.progress import (
    Progress,
    again,
    planned_window,
    window_of,
    window_work,
    work_of,
)
from lakehouse_jobs.ingest.sources.rest.salesforce import Salesforce
from lakehouse_jobs.ingest.sources.rest.tokens import tokens_of
from lakehouse_jobs.ingest.versions import version_columns
from lakehouse_jobs.ingest.work import WindowWork

_NO_TIME: Final = timedelta(0)


class Rest:
    """The REST source of one run."""

    cells = False

    def __init__(self, source: RestSource, surroundings: Surroundings) -> None:
        self._source = source
        self._at = surroundings
        self.place = f"{source.url.rstrip('/')}/{source.object}" if source.object else source.url

    def check(self) -> None:
        """Raise OptionRefused for fields that cannot be asked for, CredentialsMissing for a Secret without its keys."""
        names = self._at.contract.names
        strangers = sorted(set(self._source.fields or {}) - names)
        if strangers:
            raise _refused(f"source.rest.fields: {', '.join(strangers)} is not a property of the contract.")
        asked = [*self._wanted.values()] if self._source.flavor.is_crm else []
        unaskable = [name for name in [*asked, self._cursor or "any"] if not is_field(name)]
        if unaskable:
            raise _refused(f"{', '.join(unaskable)} cannot be a field of the API: name it in source.rest.fields.")
        if self._source.flavor is Flavor.ECB and self._cursor not in {None, ecb.CURSOR}:
            raise _refused(f"spec.incremental.cursor must be {ecb.CURSOR} for the flavor ecb.")
        if self._lookback and self._appends and not self._keys:
            raise spec_wrong(
                "KeysMissing",
                "incremental.lookback reads rows again, and only keys tell which of them the table has: add x-keys to "
                "the contract, and the cursor to its properties, or merge instead of appending.",
            )
        _ = self._client

    def next_work(self, committed: Sequence[Plan], batch: int) -> WindowWork | None:
        """Freeze the window from the last watermark to as late as the API's clock, and ours, and the lag allow."""
        del batch
        progress = Progress.of(committed, self._at.run)
        if progress.cursor is None:
            return WindowWork(newest_input=self._at.now)
        until = self._api.horizon(self._now - self._source.lag)
        if progress.watermark and until <= progress.watermark:
            return None
        if not self._api.has_records(progress.window(until)):
            return None
        clock = self._client.server_time
        until = until if self._api.dated or clock is None else min(until, clock - self._source.lag)
        if progress.watermark and until <= progress.watermark:
            return None
        return work_of(progress.window(until), self._at.run, dated=self._api.dated)

    def again(self, committed: Sequence[Plan], batch: int, wanted: BackfillRange) -> WindowWork | None:
        """Freeze the window of a range, as far as it was read before."""
        del batch
        work = again(wanted, Progress.of(committed, self._at.run), dated=self._api.dated)
        return work if work and self._api.has_records(window_of(work)) else None

    def can_resume(self, plan: Plan) -> bool:
        """Tell whether the plan froze a window: whoever reads it reads the same, or what was landed."""
        return isinstance(plan.work, WindowWork)

    def headers(self, plan: Plan) -> Sequence[Sequence[str]]:
        """Give none: each record names its own members."""
        del plan
        return ()

    def rows(self, plan: Plan) -> DataFrame:
        """Land the window unless it was, and describe the landed rows."""
        landed = self._at.landing.found(plan.batch) or self._land(plan)
        if not landed.rows:
            return no_rows(self._at.spark, self._at.contract)
        lines = ndjson_lines(self._at.spark, landed.files)
        first = F.regexp_extract("file", FIRST_ROW, 1).cast("bigint")
        lines = lines.select("value", F.lit(self.place).alias("file"), (F.col("place") + first - 1).alias("place"))
        return judged_rows(self._new(plan, lines), self._at.contract, flaw=F.lit(None).cast("string"))

    def require_unchanged(self, plan: Plan) -> None:
        """Accept: what was read is what was landed."""

    def idle(self, committed: Sequence[Plan]) -> Idle:
        """Say that nothing changed."""
        if not committed:
            return Idle(reason="NoNewRows", message=f"{self.place} has no records to read yet.", newest_input=None)
        work = window_work(committed[-1])
        return Idle(
            reason="NoNewRows",
            message=f"{self.place} has nothing newer than {work.watermark} that is due.",
            newest_input=work.newest_input,
        )

    def _land(self, plan: Plan) -> Landed:
        with Parts(self._at.landing, batch=plan.batch, run=self._at.run.id) as parts:
            return land(self._api, planned_window(plan), parts, self.place)

    def _new(self, plan: Plan, lines: DataFrame) -> DataFrame:
        """Leave out what earlier batches appended of the time that is looked at once more."""
        window = planned_window(plan)
        if plan.backfill or not (self._lookback and self._appends and plan.previous and window.after):
            return lines
        return unknown(lines, self._at.run.job.target.uri, self._at.contract, self._keys, window.after)

    @cached_property
    def _client(self) -> Client:
        return Client(tokens_of(self._source, SourceCredentials()))

    @cached_property
    def _api(self) -> Api:
        match self._source.flavor:
            case Flavor.SALESFORCE:
                return Salesforce(self._source, self._client, self._wanted)
            case Flavor.HUBSPOT:
                return HubSpot(self._source, self._client, self._wanted, self._at.contract)
            case Flavor.ECB:
                return ecb.Ecb(self._source, self._client)
            case Flavor.GENERIC:
                return Generic(self._source, self._client)

    @property
    def _wanted(self) -> dict[str, str]:
        renamed = self._source.fields or {}
        return {field.name: renamed.get(field.name, field.name) for field in self._at.contract.fields}

    @property
    def _cursor(self) -> str | None:
        return self._at.run.job.incremental.cursor if self._at.run.job.incremental else None

    @property
    def _keys(self) -> list[str]:
        column = next((name for name, field in self._wanted.items() if field == self._cursor), None)
        return version_columns(self._at.contract.keys, column)

    @property
    def _lookback(self) -> timedelta:
        return self._at.run.job.incremental.lookback if self._at.run.job.incremental else _NO_TIME

    @property
    def _appends(self) -> bool:
        return self._at.run.job.target.mode is TargetMode.APPEND

    @property
    def _now(self) -> datetime:
        return datetime.fromisoformat(self._at.now)


def _refused(message: str) -> JobError:
    return spec_wrong("OptionRefused", message)
