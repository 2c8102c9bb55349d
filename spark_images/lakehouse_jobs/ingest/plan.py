"""Batch plans: what a batch reads, and where it stands in the chain of batches. No I/O here.

The chain of plans is also the record of what was read. Each plan names the last committed batch before it, and its work
says, alone or together with a bounded number of plans before it, where the next batch begins.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.incremental import Incremental
from lakehouse_api.ingest_pipeline import Source
from lakehouse_api.model import Model
from lakehouse_api.run import RunSpec
from lakehouse_jobs.ingest.work import ReplayWork, Work


class Plan(Model):
    """What batch `batch` reads. Created once, before anything is read, and never changed."""

    version: Literal[1] = 1
    batch: int
    previous: Annotated[int, Field(description="The last committed batch before this one; 0: none.")]
    origin: Annotated[str, Field(description="The run that began this chain of plans.")]
    run: str
    uid: str
    slot: str
    planned_at: Annotated[str, Field(description="RFC 3339.")]
    source: Source
    incremental: Incremental | None = None
    contract: Annotated[str, Field(description="Version of the contract.")]
    reread: str | None = None
    backfill: Annotated[BackfillRange | None, Field(description="What is read once more; absent: what was new.")] = None
    work: Work

    @classmethod
    def new(cls, run: RunSpec, committed: Sequence["Plan"], *, batch: int, work: Work, now: str) -> Self:
        """Freeze the next batch. `batch` is above every number planned so far, committed or given up."""
        last = committed[-1] if committed else None
        return cls(
            batch=batch,
            previous=last.batch if last else 0,
            origin=last.origin if last else run.id,
            run=run.id,
            uid=run.uid,
            slot=run.slot,
            planned_at=now,
            source=run.job.source.without_credentials(),
            incremental=run.job.incremental,
            contract=run.job.contract.version,
            reread=run.job.reread or (last.reread if last else None),
            backfill=run.job.backfill,
            work=work,
        )

    def belongs_to(self, run: RunSpec) -> bool:
        """Tell whether an attempt of the same slot made this plan."""
        return (self.uid, self.slot) == (run.uid, run.slot)

    def suits(self, run: RunSpec) -> bool:
        """Tell whether the run asks for just what this plan was made for."""
        job = run.job
        asked = (job.source.without_credentials(), job.incremental, job.contract.version, job.reread or self.reread)
        planned = (self.source, self.incremental, self.contract, self.reread)
        replays = self.work.rows if isinstance(self.work, ReplayWork) else None
        same = asked == planned and self.backfill == job.backfill
        return same and replays == (job.quarantine.rows if job.quarantine else None)
