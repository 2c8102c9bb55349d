"""Reading the planned rows through Spark's JDBC source into Parquet files, exactly.

Texts become values here. One that does not fit, such as NaN in an exact number or infinity as a time, is told in a
column of its own, and its row goes to quarantine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyspark.sql import Column as Values
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import quoted as ticked
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.ingest.sources.jdbc.columns import Column, Kind, landed_type
from lakehouse_jobs.ingest.sources.jdbc.database import Database

FLAW: Final = "lakehouse_flaw"
"""Column of the landed files: what could not be kept, as the flaw of a row; NULL in nearly all rows."""

_DRIVER_TYPES: Final = {Kind.INTEGER: "BIGINT", Kind.BOOLEAN: "BOOLEAN"}
_DECIMAL: Final = r"^[+-]?[0-9]+(\.[0-9]{{0,{scale}}}0*)?$"
_DAY: Final = r"[0-9]{4,6}-[0-9]{2}-[0-9]{2}"
_TIME: Final = rf"^{_DAY}[ T][0-9:]{{8}}(\.[0-9]+)?([+-][0-9:]+)?$"
_WHOLE: Final = {
    "bigint": r"^[+-]?[0-9]+(\.0*)?$",
    "double": "",
    "date": f"^{_DAY}$",
    "timestamp": _TIME,
    "timestamp_ntz": _TIME,
}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the rows of a source are fetched."""

    database: Database
    columns: Sequence[Column]
    contract: Contract
    fetch_size: int
    zone: str | None

    def rows(self, query: str, parts: Sequence[str]) -> DataFrame:
        """Describe the rows of a query, in the types in which they are landed; each of `parts` is one connection."""
        database = self.database
        options = {
            "driver": database.sql.driver,
            "fetchsize": str(self.fetch_size),
            "sessionInitStatement": database.sql.session,
            "customSchema": ", ".join(f"{ticked(each.name)} {driver_type(each)}" for each in self.columns),
        }
        properties = {**database.properties, **options}
        relation, reader = f"(\n{query}\n) lakehouse_batch", database.spark.read
        read = (
            reader.jdbc(database.url, relation, predicates=list(parts), properties=properties)
            if parts
            else reader.jdbc(database.url, relation, properties=properties)
        )
        return read.select(*map(self._landed, self.columns), self._flaw().alias(FLAW))

    def _landed(self, column: Column) -> Values:
        return _value(column, self._type(column), self.zone).alias(column.name)

    def _flaw(self) -> Values:
        texts = [each for each in self.columns if driver_type(each) == "STRING" and self._type(each) != "string"]
        flaws = [_misfit(each, self._type(each), self.zone) for each in texts]
        return F.coalesce(*flaws, F.lit(None).cast("string"))

    def _type(self, column: Column) -> str:
        fields: Mapping[str, Any] = {field.name: field for field in self.contract.fields}
        return landed_type(column, fields.get(column.name), zoned=self.zone is not None)


def driver_type(column: Column) -> str:
    """Give the type as which the driver hands a column over: plain ones as they are, all others as text."""
    return _DRIVER_TYPES.get(column.kind, "STRING")


def _value(column: Column, kept: str, zone: str | None) -> Values:
    values = F.col(ticked(column.name))
    if driver_type(column) != "STRING":
        return values
    if kept == "string":
        return F.replace(values, F.lit(" "), F.lit("T")) if column.kind is Kind.LOCAL else values
    if column.kind is Kind.LOCAL and zone and kept == "timestamp":
        return F.when(_fits(values, kept), F.to_utc_timestamp(values.try_cast("timestamp"), zone))
    return F.when(_fits(values, kept), values.try_cast(kept))


def _fits(text: Values, kept: str) -> Values:
    """Tell whether a text is surely the value that a cast makes of it.

    A cast rounds numbers, and takes no notice of what stands behind a date, such as BC.
    """
    pattern = _DECIMAL.format(scale=kept.rstrip(")").rpartition(",")[2]) if kept.startswith("decimal") else _WHOLE[kept]
    return text.rlike(pattern)


def _misfit(column: Column, kept: str, zone: str | None) -> Values:
    text, told = F.col(ticked(column.name)), F.lit(f"Type: {column.name} is ")
    lost = text.isNotNull() & _value(column, kept, zone).isNull()
    return F.when(lost, F.concat(told, F.left(text, F.lit(60)), F.lit(f", which is not kept as {kept}")))
