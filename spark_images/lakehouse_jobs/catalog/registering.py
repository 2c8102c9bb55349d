"""After a run: the catalogue is told of the tables as they are. What is committed stays committed if it cannot be."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pyspark.sql import SparkSession

from lakehouse_api.catalog import MESSAGE_LENGTH, CatalogResult, CatalogTable, Registration
from lakehouse_api.run import RunSpec
from lakehouse_jobs.catalog.columns import columns_of, descriptions_of
from lakehouse_jobs.catalog.entry import Entry
from lakehouse_jobs.catalog.glue import UNAVAILABLE, CatalogError, DataCatalog
from lakehouse_jobs.ingest.job import Ended
from lakehouse_jobs.ingest.tables import Table
from lakehouse_jobs.reporting import one_line

_LOG: Final = logging.getLogger(__name__)


def registered(spark: SparkSession, run: RunSpec, ended: Ended) -> Ended:
    """Register the tables of a run that ended well, and add to its result whether that worked."""
    if run.catalog is None:
        return ended
    result = ended.result.model_copy(update={"catalog": _registered(spark, run, run.catalog)})
    return replace(ended, result=result)


def _registered(spark: SparkSession, run: RunSpec, catalog: Registration) -> CatalogResult:
    try:
        _follow(spark, run, catalog)
    except CatalogError as error:
        _LOG.warning("the catalogue does not follow: %s", error)
        return _failed(error.reason, error.message)
    except Exception as error:  # noqa: BLE001 (what is committed stays a success, whatever the catalogue does)
        _LOG.exception("the catalogue does not follow")
        return _failed(
            "CatalogFailed",
            f"{type(error).__name__}: {error}. The driver's log has the whole story; the next run tries again.",
        )
    return CatalogResult(registered=True, reason="Registered")


def _failed(reason: str, message: str) -> CatalogResult:
    return CatalogResult(registered=False, reason=reason, message=one_line(message, MESSAGE_LENGTH))


def _follow(spark: SparkSession, run: RunSpec, catalog: Registration) -> None:
    """Bring every entry up to date that can be, then raise the first error; a silent service is asked once."""
    service, errors = DataCatalog(catalog), list[CatalogError]()
    for table, entry in _entries(spark, run, catalog):
        try:
            service.follow(table, entry)
        except CatalogError as error:
            errors.append(error)
            if error.reason == UNAVAILABLE:
                break
    if errors:
        raise errors[0]


def _entries(spark: SparkSession, run: RunSpec, catalog: Registration) -> Iterator[tuple[CatalogTable, Entry]]:
    """Give each table that exists, and what its entry is to say."""
    schema = run.job.contract.schema_
    for table in catalog.tables:
        delta = Table(spark, table.uri)
        columns = delta.columns()
        if columns is None:
            continue
        yield (
            table,
            Entry(
                name=table.name,
                location=table.uri,
                columns=columns_of(columns, descriptions_of(schema) if table.described else {}),
                partitioned_by=delta.partitioned_by(),
                description=str(schema.get("description") or schema.get("title") or "") if table.described else "",
            ),
        )
