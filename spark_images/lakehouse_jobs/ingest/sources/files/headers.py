"""The first look at each file, before a batch is planned: is it what it should be, and, for CSV, what is its header?"""

import csv
import io
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from lakehouse_api.sources.files import FileFormat, FilesSource
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import data_refused, failure_of
from lakehouse_jobs.ingest.sources.files.options import csv_dialect
from lakehouse_jobs.ingest.work import FileGroup, PlannedFile
from lakehouse_jobs.storage import Storage, Stored

HEAD_BYTES: Final = 1 << 20
_BZIP2: Final = b"BZh"
_LOOKS: Final = {
    b"PAR1": "Parquet",
    b"\x1f\x8b": "gzip (its name must end in .gz)",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet",
    b"Obj\x01": "Avro",
    b"ORC": "ORC",
    b"%PDF": "PDF",
    _BZIP2: "bzip2 (its name must end in .bz2)",
    b"\x28\xb5\x2f\xfd": "Zstandard (its name must end in .zst)",
}
_READERS: Final = 16


def grouped(storage: Storage, source: FilesSource, contract: Contract, files: Sequence[Stored]) -> list[FileGroup]:
    """Group files by header, in the order of listing; files of other formats are one group.

    Raise DataRefused, naming the file, when one is not what the source says.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        headers = list(pool.map(lambda file: _header(storage, source, contract, file), files))
    groups: dict[tuple[str, ...], list[PlannedFile]] = {}
    for file, header in zip(files, headers, strict=True):
        planned = PlannedFile(uri=file.uri, size=file.size, modified=file.modified, etag=file.etag)
        groups.setdefault(header, []).append(planned)
    return [FileGroup(columns=header, files=planned) for header, planned in groups.items()]


def _header(storage: Storage, source: FilesSource, contract: Contract, file: Stored) -> tuple[str, ...]:
    if source.format is FileFormat.PARQUET or not file.size:
        return ()
    try:
        _refuse_unpacked(storage, file.uri)
        head = storage.head(file.uri, limit=HEAD_BYTES)
    except Exception as error:
        raise failure_of(error, where=f"reading {file.uri}", side="Source") from error
    _refuse_binary(file.uri, head or b"", source)
    if source.format is not FileFormat.CSV:
        return ()
    return _csv_header(file.uri, head or b"", source, contract)


def _refuse_unpacked(storage: Storage, uri: str) -> None:
    """Refuse what is no bzip2: its decompressor looks for the beginning of a block, finds none, and says nothing."""
    if uri.endswith(".bz2") and storage.first_bytes(uri, len(_BZIP2)) != _BZIP2:
        raise data_refused(f"{uri} is not bzip2, as its name says. Remove or replace the file, or rename it.")


def _refuse_binary(uri: str, head: bytes, source: FilesSource) -> None:
    looks = next((name for magic, name in _LOOKS.items() if head.startswith(magic)), None)
    wide = "16" in source.options.get("encoding", "") or "32" in source.options.get("encoding", "")
    if looks or (b"\0" in head and not wide):
        raise data_refused(
            f"{uri} is not {source.format}: it looks like {looks or 'binary data'}. Remove or replace the file, or "
            "correct source.files.format."
        )


def _csv_header(uri: str, head: bytes, source: FilesSource, contract: Contract) -> tuple[str, ...]:
    dialect = csv_dialect(source.options)
    try:
        text = head.decode(dialect.encoding, errors="replace").removeprefix("\ufeff")
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True
        )
        names = next((record for record in reader if record), [])
    except (csv.Error, LookupError) as error:
        raise data_refused(f"{uri}: its header cannot be read as CSV: {error}. Check source.files.options.") from error
    _refuse_header(uri, names, contract)
    return tuple(names)


def _refuse_header(uri: str, names: Sequence[str], contract: Contract) -> None:
    """Raise DataRefused for a header under which cells could not be told apart. Cells are never shown."""
    if not names:
        return
    unnamed = [str(number) for number, name in enumerate(names, 1) if not name.strip()]
    if unnamed:
        raise data_refused(f"{uri}: column {', '.join(unnamed)} of its header has no name. Name every column.")
    doubles = _doubles(names)
    if doubles:
        raise data_refused(
            f"{uri}: its header names {', '.join(doubles)} more than once. Rename or remove the doubles."
        )
    if not contract.names & set(names):
        raise data_refused(
            f"{uri}: none of the {len(names)} cells of its first record is a property of contract {contract.name}. "
            "The file lacks a header, or its delimiter is another one (source.files.options.delimiter)."
        )


def _doubles(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return sorted({name for name in names if name in seen or seen.add(name)})  # type: ignore[func-returns-value]  # add gives None
