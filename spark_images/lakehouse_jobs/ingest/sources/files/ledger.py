"""Which files are to be read, decided from values alone. No I/O here.

Every `SUMMARY_EVERY`-th plan carries a summary of all files read before, so a run reads at most that many plans,
however old the pipeline is. A summary forgets files that the source no longer has: it never outgrows the source.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from lakehouse_api.backfill import BackfillRange
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.points import instant
from lakehouse_jobs.ingest.work import FilesWork
from lakehouse_jobs.storage import Stored

SUMMARY_EVERY = 16


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the committed batches have read: the etag of each file, the last re-read token, the newest file's time."""

    committed: int = 0
    etags: Mapping[str, str]
    reread: str | None = None
    newest: int = 0

    @classmethod
    def of(cls, plans: Iterable[Plan]) -> Self:
        """Sum up committed plans, oldest first; the first one carries a summary or is the first of all."""
        etags: dict[str, str] = {}
        ledger = cls(etags=etags)
        for plan in plans:
            work = files_work(plan)
            etags.update(work.summary or {})
            etags.update({file.uri: file.etag for file in work.files})
            newest = max([ledger.newest, *(file.modified for file in work.files)])
            ledger = cls(committed=plan.batch, etags=etags, reread=plan.reread, newest=newest)
        return ledger


@dataclass(frozen=True, kw_only=True)
class Due:
    """The files that the next batch is to read, and those of them that were read before in another version."""

    files: tuple[Stored, ...]
    rewritten: tuple[str, ...]


def files_work(plan: Plan) -> FilesWork:
    """Give a plan's work, which must be of files; another kind of source has other plans."""
    if not isinstance(plan.work, FilesWork):
        raise TypeError(f"batch {plan.batch} reads {plan.work.kind}, not files")
    return plan.work


def is_data(name: str) -> bool:
    """Tell data from what writers leave beside it: markers, temporary and hidden files, by their first character."""
    return not any(part.startswith(("_", ".")) for part in name.split("/"))


def due(ledger: Ledger, listing: Sequence[Stored], reread: str | None) -> Due:
    """Decide which files are to be read: those unknown, those changed, and all for a new re-read token."""
    everything = reread is not None and reread != ledger.reread
    files = tuple(file for file in listing if everything or ledger.etags.get(file.uri) != file.etag)
    rewritten = tuple(file.uri for file in files if ledger.etags.get(file.uri, file.etag) != file.etag)
    return Due(files=files, rewritten=rewritten)


def within(wanted: BackfillRange, ledger: Ledger, listing: Sequence[Stored], root: str) -> tuple[Stored, ...]:
    """Give the files of a range that were read before, just as they are: the others are due, and read in their turn."""
    first, end = (instant(point) * 1000 if point else None for point in (wanted.from_, wanted.until))
    below = f"{root}/{wanted.prefix or ''}"
    return tuple(
        file
        for file in listing
        if file.uri.startswith(below)
        and (first is None or first <= file.modified)
        and (end is None or file.modified < end)
        and ledger.etags.get(file.uri) == file.etag
    )


def summary(ledger: Ledger, listing: Sequence[Stored], batch: int) -> dict[str, str] | None:
    """Give the summary for a batch whose turn it is; the first batch has nothing to sum up."""
    if ledger.committed // SUMMARY_EVERY == batch // SUMMARY_EVERY:
        return None
    present = {file.uri for file in listing}
    return {uri: etag for uri, etag in ledger.etags.items() if uri in present}


def changed(work: FilesWork, listing: Iterable[Stored]) -> list[str]:
    """Name the planned files that the source no longer has in the planned version."""
    now = {file.uri: file.etag for file in listing}
    return [file.uri for file in work.files if now.get(file.uri) != file.etag]
