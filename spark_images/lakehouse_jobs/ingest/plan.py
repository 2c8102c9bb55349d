"""Batch plans: which files a batch reads, decided from values alone. No I/O here.

The chain of plans is also the ledger of files read. Each plan names the last committed batch before it; every
`SUMMARY_EVERY`-th plan carries a summary of all files read before, so a run reads at most that many plans, however old
the pipeline is. A summary forgets files that the source no longer has: the ledger never outgrows the source.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from lakehouse_api.ingest_pipeline import FilesSource
from lakehouse_api.model import Model
from lakehouse_api.run import RunSpec
from lakehouse_jobs.storage import Stored

SUMMARY_EVERY = 16


class PlannedFile(Model):
    """One version of one file; `modified` counts milliseconds since 1970."""

    uri: str
    size: int
    modified: int
    etag: str


class FileGroup(Model):
    """Files that can be read together: for CSV those with the same header, in the same order."""

    columns: tuple[str, ...] = ()
    files: list[PlannedFile]


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
    source: FilesSource
    contract: Annotated[str, Field(description="Version of the contract.")]
    reread: str | None = None
    groups: list[FileGroup]
    rewritten: Annotated[tuple[str, ...], Field(description="Files read before in another version.")] = ()
    summary: Annotated[dict[str, str] | None, Field(description="Etag by file, of all files read before.")] = None

    @property
    def files(self) -> list[PlannedFile]:
        """Give the files of all groups."""
        return [file for group in self.groups for file in group.files]

    def belongs_to(self, run: RunSpec) -> bool:
        """Tell whether an attempt of the same slot made this plan."""
        return (self.uid, self.slot) == (run.uid, run.slot)

    def suits(self, run: RunSpec) -> bool:
        """Tell whether the run asks for just what this plan was made for."""
        asked = (what_is_read(run.job.source), run.job.contract.version, run.job.reread or self.reread)
        return asked == (self.source, self.contract, self.reread)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the committed batches have read: the etag of each file, the last re-read token, the newest file's time."""

    committed: int = 0
    origin: str | None = None
    etags: Mapping[str, str]
    reread: str | None = None
    newest: int = 0

    @classmethod
    def of(cls, plans: Iterable[Plan]) -> Self:
        """Sum up committed plans, oldest first; the first one carries a summary or is the first of all."""
        etags: dict[str, str] = {}
        ledger = cls(etags=etags)
        for plan in plans:
            etags.update(plan.summary or {})
            etags.update({file.uri: file.etag for file in plan.files})
            newest = max([ledger.newest, *(file.modified for file in plan.files)])
            ledger = cls(committed=plan.batch, origin=plan.origin, etags=etags, reread=plan.reread, newest=newest)
        return ledger


@dataclass(frozen=True, kw_only=True)
class Due:
    """The files that the next batch is to read, and those of them that were read before in another version."""

    files: tuple[Stored, ...]
    rewritten: tuple[str, ...]


def what_is_read(source: FilesSource) -> FilesSource:
    """Leave out how the source is reached: other credentials read the same files."""
    return source.model_copy(update={"credentials": None})


def is_data(name: str) -> bool:
    """Tell data from what writers leave beside it: markers, temporary and hidden files, by their first character."""
    return not any(part.startswith(("_", ".")) for part in name.split("/"))


def due(ledger: Ledger, listing: Sequence[Stored], reread: str | None) -> Due:
    """Decide which files are to be read: those unknown, those changed, and all for a new re-read token."""
    everything = reread is not None and reread != ledger.reread
    files = tuple(file for file in listing if everything or ledger.etags.get(file.uri) != file.etag)
    rewritten = tuple(file.uri for file in files if ledger.etags.get(file.uri, file.etag) != file.etag)
    return Due(files=files, rewritten=rewritten)


def new_plan(
    run: RunSpec, ledger: Ledger, *, batch: int, groups: list[FileGroup], rewritten: Sequence[str], now: str
) -> Plan:
    """Freeze the next batch. `batch` is above every number planned so far, committed or given up."""
    return Plan(
        batch=batch,
        previous=ledger.committed,
        origin=ledger.origin or run.id,
        run=run.id,
        uid=run.uid,
        slot=run.slot,
        planned_at=now,
        source=what_is_read(run.job.source),
        contract=run.job.contract.version,
        reread=run.job.reread or ledger.reread,
        groups=groups,
        rewritten=tuple(rewritten),
    )


def summarised(plan: Plan, ledger: Ledger, listing: Sequence[Stored]) -> Plan:
    """Add the summary to a plan whose turn it is; the first plan has nothing to sum up."""
    if plan.previous // SUMMARY_EVERY == plan.batch // SUMMARY_EVERY:
        return plan
    present = {file.uri for file in listing}
    kept = {uri: etag for uri, etag in ledger.etags.items() if uri in present}
    return plan.model_copy(update={"summary": kept})


def changed(plan: Plan, listing: Iterable[Stored]) -> list[str]:
    """Name the planned files that the source no longer has in the planned version."""
    now = {file.uri: file.etag for file in listing}
    return [file.uri for file in plan.files if now.get(file.uri) != file.etag]


def moment(milliseconds: int) -> str:
    """Write a time in RFC 3339."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
