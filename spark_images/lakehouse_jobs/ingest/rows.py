"""Rows with a native verdict, the same shape for every source.

Columns: `ok` (the native verdict), `text` (the row as JSON), `flaw` (what the reader found, as "Keyword: message"),
`others` (members that the contract does not name), `lacks` (those it names and the row has not), `file`, `number`,
`row` (a struct of the contract's columns, to be trusted where ok).
"""

from collections.abc import Iterable
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import quoted
from lakehouse_jobs.contract.json_rows import read_json
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.contract.typed_text import typed_text

UNREADABLE: Final = "Unreadable"
"""The flaw of a file that as a whole is not of its format; no row of it can be found."""
NO_TEXT: Final = "Encoding: it has bytes that are no text in the file's encoding"


def no_rows(spark: SparkSession, contract: Contract) -> DataFrame:
    """Give the shape without a row."""
    row = ", ".join(f"{quoted(field.name)}: {field.ddl}" for field in contract.fields)
    shape = "ok boolean, text string, flaw string, others array<string>, lacks array<string>, file string,"
    return spark.createDataFrame([], f"{shape} number bigint, row struct<{row}>")


def judged_rows(
    lines: DataFrame, contract: Contract, *, flaw: Column, cells: bool = False, lacks: Column | None = None
) -> DataFrame:
    """Judge lines with the columns `value` (a JSON text), `file` and `place` (the row's number there).

    With `cells` the members of the text are CSV cells. `lacks` is given where a header tells it of all rows alike.
    """
    read = lines.select("*", read_json(lines.sparkSession, F.col("value"), contract, cells=cells).alias("read"))
    found = read.select("*", F.coalesce(flaw, F.when(~F.is_valid_utf8("value"), F.lit(NO_TEXT))).alias("found"))
    return found.select(
        (F.col("found").isNull() & F.coalesce("read.ok", F.lit(False))).alias("ok"),  # noqa: FBT003 (a literal)
        F.col("value").alias("text"),
        F.col("found").cast("string").alias("flaw"),
        "read.others",
        F.col("read.lacks") if lacks is None else lacks.cast("array<string>").alias("lacks"),
        "file",
        F.col("place").cast("bigint").alias("number"),
        "read.row",
    )


def typed_rows(
    rows: DataFrame, contract: Contract, *, file: Column, number: Column, flaw: str | None = None
) -> DataFrame:
    """Judge rows whose columns have types of their own, as Parquet's; NULL is a missing member.

    `flaw` names a column that is no member, but tells what the reader found.
    """
    columns = {name: F.col(quoted(name)) for name in rows.columns if name != flaw}
    found = F.col(flaw) if flaw else F.lit(None).cast("string")
    lines = rows.select(
        typed_text(columns).alias("value"), found.alias("flaw"), file.alias("file"), number.alias("place")
    )
    return judged_rows(lines, contract, flaw=F.col("flaw"), lacks=named(contract.names.difference(columns)))


def named(names: Iterable[str]) -> Column:
    """Give names as a column, NULL when there are none: the same for every row, they cost nothing."""
    found = [F.lit(name) for name in sorted(names)]
    return F.array(*found) if found else F.lit(None)
