"""Where a pipeline's source lies, whether its namespace may read it, and which secrets its job needs."""

from collections.abc import Mapping

from lakehouse_api.ingest_pipeline import Source
from lakehouse_api.sources.files import FilesSource
from lakehouse_operator.core.application import SecretEnv
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


def source_secrets(source: Source) -> tuple[SecretEnv, ...]:
    """Give the environment variables that carry the credentials of a source that is no store."""
    return tuple(
        SecretEnv(name=use.variable, secret=use.secret, key=use.key, optional=use.optional)
        for use in source.chosen.secret_uses
    )


def buckets_read(source: Source) -> Mapping[str, str | None]:
    """Give each URI that is read from a store, with the Secret that the pipeline brings for it."""
    files = source.chosen
    if not isinstance(files, FilesSource):
        return {}
    return {files.uri: files.credentials.secret_ref.name if files.credentials else None}
