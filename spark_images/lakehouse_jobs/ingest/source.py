"""What the ingest job asks of a source. Each kind of source implements it in a package of its own below `sources`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pyspark.sql import DataFrame, SparkSession

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.run import RunSpec
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.ingest.landing import Landing
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.work import Work
from lakehouse_jobs.storage import Storage


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a source is opened with. `now` is the time of the run's start in RFC 3339."""

    spark: SparkSession
    storage: Storage
    run: RunSpec
    contract: Contract
    landing: Landing
    now: str


@dataclass(frozen=True, kw_only=True)
class Idle:
    """Why there is nothing to read, and how new the newest input read before is (RFC 3339)."""

    reason: str
    message: str
    newest_input: str | None


class Source(Protocol):
    """What one run reads."""

    @property
    def place(self) -> str:
        """How messages name the source: a URI, a table, a topic."""

    @property
    def cells(self) -> bool:
        """Whether the members of a row's text are CSV cells, whose JSON types the contract decides."""

    def check(self) -> None:
        """Raise JobError for what a person must change before anything can be read."""

    def next_work(self, committed: Sequence[Plan], batch: int) -> Work | None:
        """Look at the source and freeze what the next batch reads; None if there is nothing new.

        `committed` are the plans of committed batches, oldest first, as many as needed to know what was read.
        """

    def can_resume(self, plan: Plan) -> bool:
        """Tell whether a plan made earlier can be executed as it is."""

    def headers(self, plan: Plan) -> Sequence[Sequence[str]]:
        """Give the sets of columns that the rows of a plan have, where that is known without reading the rows."""

    def rows(self, plan: Plan) -> DataFrame:
        """Describe the rows of a plan in the shape of `rows`. What cannot be read twice is landed first."""

    def require_unchanged(self, plan: Plan) -> None:
        """Raise SourceChanged if what was read is not what was planned. Called before anything is committed."""

    def idle(self, committed: Sequence[Plan]) -> Idle:
        """Say why `next_work` found nothing; raise SourceEmpty if there never was anything."""


class RangedSource(Source, Protocol):
    """A source of rows that can be read once more."""

    def again(self, committed: Sequence[Plan], batch: int, wanted: BackfillRange) -> Work | None:
        """Freeze what is there of a range that committed batches read; None if there is nothing.

        The next batch begins where it would have begun without this one.
        """
