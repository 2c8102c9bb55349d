"""The files source: what is new in a folder, grouped by header, read where it lies."""

from collections.abc import Sequence
from functools import cached_property, reduce

from pyspark.sql import DataFrame

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.sources.files import FileFormat, FilesSource
from lakehouse_jobs.failures import spec_wrong, unavailable
from lakehouse_jobs.ingest.outcome import shown
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.source import Idle, Surroundings
from lakehouse_jobs.ingest.sources.files.headers import grouped
from lakehouse_jobs.ingest.sources.files.ledger import Ledger, changed, due, files_work, summary, within
from lakehouse_jobs.ingest.sources.files.listing import listing
from lakehouse_jobs.ingest.sources.files.options import check_options
from lakehouse_jobs.ingest.sources.files.reading import parquet, parquet_rows, read_rows
from lakehouse_jobs.ingest.work import FilesWork, moment
from lakehouse_jobs.storage import Stored, folder


class Files:
    """The files source of one run. Its folder is listed once for all that is decided before the reading."""

    def __init__(self, source: FilesSource, surroundings: Surroundings) -> None:
        self._source = source
        self._at = surroundings
        self.place = source.uri
        self.cells = source.format is FileFormat.CSV
        self._frames: dict[int, list[DataFrame]] = {}

    @cached_property
    def _listing(self) -> list[Stored]:
        return listing(self._at.storage, self._source)

    def check(self) -> None:
        """Raise OptionRefused, SourceMissing or AccessDenied."""
        check_options(self._source)
        _ = self._listing

    def next_work(self, committed: Sequence[Plan], batch: int) -> FilesWork | None:
        """Freeze the files that are new or changed."""
        ledger = Ledger.of(committed)
        found = due(ledger, self._listing, self._at.run.job.reread)
        if not found.files:
            return None
        return FilesWork(
            groups=grouped(self._at.storage, self._source, self._at.contract, found.files),
            rewritten=found.rewritten,
            summary=summary(ledger, self._listing, batch),
        )

    def again(self, committed: Sequence[Plan], batch: int, wanted: BackfillRange) -> FilesWork | None:
        """Freeze the files of a range, in the versions in which they were read before."""
        ledger = Ledger.of(committed)
        files = within(wanted, ledger, self._listing, folder(self._source.uri))
        if not files:
            return None
        return FilesWork(
            groups=grouped(self._at.storage, self._source, self._at.contract, files),
            summary=summary(ledger, self._listing, batch),
        )

    def can_resume(self, plan: Plan) -> bool:
        """Tell whether the planned files are still there, unchanged."""
        return not changed(files_work(plan), self._listing)

    def headers(self, plan: Plan) -> list[tuple[str, ...]]:
        """Give the headers of CSV files, and the columns of Parquet files."""
        if self._source.format is FileFormat.PARQUET:
            return [tuple(opened.columns) for opened in self._opened(plan)]
        return [group.columns for group in files_work(plan).groups if group.columns]

    def rows(self, plan: Plan) -> DataFrame:
        """Describe the rows of the planned files."""
        if self._source.format is FileFormat.PARQUET:
            parts = [parquet_rows(opened, self._at.contract) for opened in self._opened(plan)]
            return reduce(DataFrame.union, parts)
        return read_rows(self._at.spark, self._source, files_work(plan).groups, self._at.contract)

    def _opened(self, plan: Plan) -> list[DataFrame]:
        """Open the Parquet files of a plan; their footers tell the columns, and are read for that once."""
        if plan.batch not in self._frames:
            groups = files_work(plan).groups
            self._frames[plan.batch] = [parquet(self._at.spark, group) for group in groups]
        return self._frames[plan.batch]

    def require_unchanged(self, plan: Plan) -> None:
        """Raise SourceChanged if a planned file is another one by now."""
        names = changed(files_work(plan), listing(self._at.storage, self._source))
        if names:
            raise unavailable(
                "SourceChanged",
                f"{shown(names)} changed after the batch was planned. Nothing was committed; the next attempt plans "
                "anew.",
            )

    def idle(self, committed: Sequence[Plan]) -> Idle:
        """Say that all files were read; raise SourceEmpty if there never were any."""
        if not self._listing and not committed:
            raise spec_wrong(
                "SourceEmpty",
                f"{self.place} has no files and never had any for this pipeline. Check source.files.uri, or run again "
                "once the first file is there.",
            )
        newest = Ledger.of(committed).newest
        return Idle(
            reason="NoNewFiles",
            message=f"All {len(self._listing)} files of {self.place} were read before.",
            newest_input=moment(newest) if newest else None,
        )
