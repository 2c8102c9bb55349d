"""Rows that were read before: a look back brings them again, and an append must not double them."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import quoted
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.storage import to_hadoop


def unknown(lines: DataFrame, table: str, contract: Contract, keys: Sequence[str], since: datetime) -> DataFrame:
    """Leave out the lines whose version of a record the table has since a time; the last of `keys` is the cursor."""
    types = {field.name: field.ddl for field in contract.fields}
    spark: SparkSession = lines.sparkSession
    has = spark.read.format("delta").load(to_hadoop(table))
    recent = has.where(F.col(quoted(keys[-1])).cast("timestamp") >= F.lit(since))
    known = recent.select(*(F.col(quoted(key)).cast("string").alias(f"k{place}") for place, key in enumerate(keys)))
    same = [_of_text(key, types[key]).eqNullSafe(F.col(f"k{place}")) for place, key in enumerate(keys)]
    return lines.join(F.broadcast(known.distinct()), on=reduce(and_, same), how="left_anti")


def _of_text(key: str, ddl: str) -> Column:
    member = F.get_json_object("value", f"$['{key}']")
    return member.try_cast(ddl).cast("string")
