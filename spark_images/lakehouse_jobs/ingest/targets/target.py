"""What the ingest job asks of a target. Each mode implements it in a module of its own beside this one."""

from typing import Protocol

from pyspark.sql import DataFrame

from lakehouse_jobs.ingest.judging import Judged
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.tables import Commit


class Target(Protocol):
    """The table of one run, and how a batch reaches it."""

    def check(self) -> None:
        """Raise JobError for what a person must change before anything can be written."""

    def admit(self, judged: Judged, *, cells: bool) -> Judged:
        """Refuse rows that the contract accepts but this target cannot take.

        `cells`: the members of a row's text are CSV cells.
        """

    def write(self, rows: DataFrame, commit: Commit) -> None:
        """Bring the accepted rows of a batch, with their provenance, into the table as one commit, at most once."""

    def follow(self, committed: int) -> None:
        """Bring what is derived from the table up to the batch that was committed last."""

    def told(self, outcome: BatchOutcome) -> BatchOutcome:
        """Add to a committed batch what the histories of the tables tell of it."""
