"""What a files source has now."""

from lakehouse_api.sources.files import FilesSource
from lakehouse_jobs.failures import failure_of
from lakehouse_jobs.ingest.sources.files.ledger import is_data
from lakehouse_jobs.storage import Storage, Stored, folder


def listing(storage: Storage, source: FilesSource) -> list[Stored]:
    """List the data files of a source by name; raise SourceMissing, AccessDenied or StoreUnavailable if that fails."""
    root = f"{folder(source.uri)}/"
    try:
        found = [file for file in storage.list(root) if is_data(file.uri.removeprefix(root))]
    except Exception as error:
        raise failure_of(error, where=f"listing {source.uri}", side="Source") from error
    return sorted(found, key=lambda file: file.uri)
