"""What datasets are called, so that events of other producers about the same table, topic or folder meet ours.

By OpenLineage's naming conventions where they have one. Web APIs have none there: they are named by their host, and in
it by path and object.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from lakehouse_api.ingest_pipeline import AnySource
from lakehouse_api.sources.files import FilesSource
from lakehouse_api.sources.jdbc import Dialect, JdbcSource
from lakehouse_api.sources.kafka import KafkaSource
from lakehouse_api.sources.rest import RestSource
from lakehouse_jobs.lineage.facets import Document, facet

_PORTS: Final = {Dialect.POSTGRES: 5432, Dialect.REDSHIFT: 5439}
_PART: Final = re.compile(r'"([^"]+)"|([^."]+)')
_REDSHIFT: Final = re.compile(
    r"(?P<name>[^.]+)\.[^.]+\.(?P<region>[^.]+)\.redshift(-serverless)?\.amazonaws\.com(\.cn)?"
)
_SNOWFLAKE: Final = ".snowflakecomputing.com"
_DEFAULT_SCHEMA: Final = "public"


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset by its two names; `kind` is OpenLineage's, where it has one."""

    namespace: str
    name: str
    kind: str | None = None

    def document(self, facets: Document, **more: Document) -> Document:
        """Give it as an event has it, of its own facets and those as an input or output."""
        kind = {"datasetType": facet("DatasetTypeDatasetFacet", datasetType=self.kind)} if self.kind else {}
        return {"namespace": self.namespace, "name": self.name, "facets": kind | facets, **more}


def table_dataset(uri: str) -> Dataset:
    """Name a Delta table by where it lies."""
    return _stored(uri, kind="TABLE")


def source_dataset(source: AnySource) -> Dataset:
    """Name what a pipeline reads."""
    match source:
        case FilesSource():
            return _stored(source.uri, kind="FILE")
        case JdbcSource():
            return _of_database(source)
        case KafkaSource():
            return Dataset(namespace=f"kafka://{source.servers[0]}", name=source.topic, kind="TOPIC")
        case RestSource():
            return _of_api(source)


def _stored(uri: str, *, kind: str) -> Dataset:
    parts = urlsplit(uri)
    return Dataset(namespace=f"{parts.scheme}://{parts.netloc}", name=parts.path.strip("/") or "/", kind=kind)


def _of_api(source: RestSource) -> Dataset:
    parts = urlsplit(source.url)
    path = parts.path.strip("/")
    name = "/".join(part for part in (path, source.object) if part)
    return Dataset(namespace=f"{parts.scheme}://{parts.netloc}", name=name or "/")


def _of_database(source: JdbcSource) -> Dataset:
    """A query has no name of its own: it is what its database gives."""
    parts = urlsplit(source.url.removeprefix("jdbc:"))
    settings = dict(parse_qsl(parts.query))
    snowflake = source.dialect is Dialect.SNOWFLAKE
    namespace = _account(parts.hostname or "") if snowflake else _server(source.dialect, parts.hostname, parts.port)
    before = _of_snowflake(settings) if snowflake else _of_server(parts.path.strip("/"), settings)
    if source.table is None:
        return Dataset(namespace=namespace, name=".".join([*before, "query"]))
    names = [quoted or plain for quoted, plain in _PART.findall(source.table)]
    missing = before[: max(0, len(before) + 1 - len(names))]
    return Dataset(namespace=namespace, name=".".join([*missing, *names]), kind="TABLE")


def _server(dialect: Dialect, host: str | None, port: int | None) -> str:
    known = _REDSHIFT.fullmatch(host or "") if dialect is Dialect.REDSHIFT else None
    place = f"{known['name']}.{known['region']}" if known else host
    return f"{dialect}://{place}:{port or _PORTS[dialect]}"


def _account(host: str) -> str:
    return f"snowflake://{host.removesuffix(_SNOWFLAKE)}"


def _of_server(database: str, settings: Mapping[str, str]) -> list[str]:
    return [database, settings.get("currentSchema", "").partition(",")[0] or _DEFAULT_SCHEMA]


def _of_snowflake(settings: Mapping[str, str]) -> list[str]:
    return [settings[key] for key in ("db", "schema") if settings.get(key)]
