"""Where a pipeline's source lies, and whether its namespace may read it."""

from collections.abc import Mapping

from lakehouse_api.ingest_pipeline import Source
from lakehouse_api.secrets import Credentials
from lakehouse_api.sources.files import FilesSource
from lakehouse_operator.core.checks import not_allowed
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.standing import Violation


def source_violation(source: Source, config: Config, namespace: str) -> Violation | None:
    """The first address of the source that the namespace may not use."""
    checks = (
        not_allowed(config, namespace, "uris", f"spec.source.{source.kind}.{field}", address)
        for field, address in source.chosen.addresses.items()
    )
    return next((violation for violation in checks if violation), None)


def buckets_read(source: Source) -> Mapping[str, Credentials | None]:
    """Give each URI that is read from a store, with the credentials that the pipeline brings for it."""
    files = source.chosen
    if not isinstance(files, FilesSource):
        return {}
    return {files.uri: files.credentials}
