"""Connections to a database from the driver's JVM: the few small questions that a batch is planned by."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession

from lakehouse_jobs.failures import unavailable
from lakehouse_jobs.ingest.sources.jdbc.columns import Column
from lakehouse_jobs.ingest.sources.jdbc.dialects import Sql
from lakehouse_jobs.ingest.sources.jdbc.drivers import driver_class
from lakehouse_jobs.ingest.sources.jdbc.faults import fault

_LOG: Final = logging.getLogger(__name__)
Row = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where a source is, and how to log in. `properties` hold credentials: they are given to the driver alone."""

    spark: SparkSession
    url: str
    place: str
    sql: Sql
    properties: Mapping[str, str] = field(repr=False)

    @contextmanager
    def session(self) -> Iterator["Session"]:
        """Open one connection; errors of the driver become failures of the job."""
        connection = None
        try:
            connection = self._connect()
            session = Session(connection=connection, sql=self.sql)
            session.execute(self.sql.session)
            yield session
        except Py4JJavaError as error:
            raise fault(error, where=f"reading {self.place}") or error from None
        finally:
            if connection is not None:
                _close(connection)

    def _connect(self) -> Any:
        jvm: Any = self.spark._jvm  # noqa: SLF001 (PySpark has no door to JDBC of its own)
        given = jvm.java.util.Properties()
        for name, value in self.properties.items():
            given.setProperty(name, value)
        driver = driver_class(self.spark, self.sql.driver)
        connection = driver.getDeclaredConstructor(_no(self.spark, "Class")).newInstance(_no(self.spark, "Object"))
        opened = connection.connect(self.url, given)
        if opened is None:
            raise unavailable(
                "SourceUnavailable", f"{self.place}: the driver {self.sql.driver} does not take this URL."
            )
        return opened


@dataclass(frozen=True, kw_only=True)
class Session:
    """One open connection."""

    connection: Any
    sql: Sql

    def execute(self, statements: str) -> None:
        """Execute statements that give no rows."""
        statement = self.connection.createStatement()
        for each in statements.split(";"):
            statement.execute(each)
        statement.close()

    def row(self, query: str) -> Row | None:
        """Give the first row of a query as texts, or None."""
        _LOG.info("asking: %s", query)
        statement = self.connection.createStatement()
        found = statement.executeQuery(query)
        width = found.getMetaData().getColumnCount()
        row = tuple(found.getString(place + 1) for place in range(width)) if found.next() else None
        statement.close()
        return row

    def columns(self, query: str) -> Sequence[Column]:
        """Describe the columns of a query that gives no rows."""
        statement = self.connection.createStatement()
        told = statement.executeQuery(query).getMetaData()
        columns = [self._column(told, place + 1) for place in range(told.getColumnCount())]
        statement.close()
        return columns

    def _column(self, told: Any, place: int) -> Column:
        return self.sql.column(
            told.getColumnLabel(place),
            told.getColumnTypeName(place),
            told.getPrecision(place),
            told.getScale(place),
        )


def _no(spark: SparkSession, kind: str) -> Any:
    gateway: Any = spark.sparkContext._gateway  # noqa: SLF001 (arrays of Java)
    return gateway.new_array(getattr(gateway.jvm.java.lang, kind), 0)


def _close(connection: Any) -> None:
    try:
        connection.close()
    except Py4JError:
        _LOG.info("the connection was closed by the other side")
