"""From pages to landed files: each record once, on one line, a bounded part of them on local disk at a time."""

import gzip
import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from lakehouse_jobs.failures import unavailable
from lakehouse_jobs.ingest.landing import Landed, Landing
from lakehouse_jobs.ingest.sources.rest.api import Api, Record, Window

FIRST_ROW: Final = r"rows-(\d+)\.ndjson\.gz$"
"""A landed file's name says the number of its first row, from 1."""

_PART_BYTES: Final = 64 << 20
_LOG: Final = logging.getLogger(__name__)


class Parts:
    """Landed files of one attempt: written here, uploaded when one is full."""

    def __init__(self, landing: Landing, *, batch: int, run: str, part_bytes: int = _PART_BYTES) -> None:
        self._landing, self._batch, self._run = landing, batch, run
        self._most = part_bytes
        self._stack = ExitStack()
        self._written = 0
        self._open: gzip.GzipFile | None = None
        self._path = Path()
        self.files: list[str] = []
        self.rows = 0
        self.bytes = 0

    def __enter__(self) -> Self:
        self._directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="landing-")))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self._open.close()
        self._stack.close()

    def add(self, row: str) -> None:
        """Add a row."""
        line = f"{row}\n".encode(errors="surrogateescape")
        if self._open is None:
            self._path = self._directory / f"rows-{self.rows + 1:012}.ndjson.gz"
            self._open = gzip.GzipFile(self._path, "wb", compresslevel=1, mtime=0)
        self._open.write(line)
        self.rows += 1
        self.bytes += len(line)
        self._written += len(line)
        if self._written >= self._most:
            self._upload()

    def finish(self) -> Landed:
        """Upload the rest and mark the batch as landed; what another attempt landed before is what counts."""
        self._upload()
        landed = Landed(run=self._run, files=tuple(self.files), rows=self.rows, bytes=self.bytes)
        return self._landing.finish(self._batch, landed)

    def _upload(self) -> None:
        if self._open is None:
            return
        self._open.close()
        self.files.append(self._landing.put(self._batch, self._run, self._path.name, self._path))
        self._path.unlink()
        self._open, self._written = None, 0


def land(api: Api, window: Window, parts: Parts, place: str) -> Landed:
    """Read a window and land its records."""
    for number, page in enumerate(distinct(api.pages(window), place), 1):
        inside = [record for record in page if window.holds(record)]
        for record in inside:
            parts.add(record.row)
        _LOG.info("%s: page %d, %d records of the window, %d so far", place, number, len(inside), parts.rows)
    return parts.finish()


def distinct(pages: Iterable[list[Record]], place: str) -> Iterator[list[Record]]:
    """Leave out what a page has of the page before it: records move on when pages are counted.

    Raise SourceRepeats when a whole page comes again. Of each page 16 bytes are remembered.
    """
    before: frozenset[bytes] = frozenset()
    seen: set[bytes] = set()
    for page in pages:
        prints = [_print(record.row) for record in page]
        whole = _print(b"".join(prints))
        if page and whole in seen:
            raise unavailable(
                "SourceRepeats",
                f"{place} gave a page that it had given before, so its pages have no end. Nothing was committed. If it "
                "happens again, correct source.rest.pagination, or tell the API's owner.",
            )
        seen.add(whole)
        yield [record for record, mark in zip(page, prints, strict=True) if mark not in before]
        before = frozenset(prints) if page else before


def _print(text: str | bytes) -> bytes:
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    return blake2b(data, digest_size=16).digest()
