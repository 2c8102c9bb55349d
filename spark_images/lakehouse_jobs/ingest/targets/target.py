"""What the ingest job asks of a target. Each mode implements it in a module of its own beside this one."""

from typing import Protocol

from pyspark.sql import DataFrame

from lakehouse_jobs.ingest.tables import Commit


class Target(Protocol):
    """The table of one run, and how a batch reaches it."""

    def check(self) -> None:
        """Raise JobError for what a person must change before anything can be written."""

    def write(self, rows: DataFrame, commit: Commit) -> None:
        """Bring the accepted rows of a batch, with their provenance, into the table as one commit, at most once."""
