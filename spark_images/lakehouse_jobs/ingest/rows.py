"""Rows with a native verdict, the same shape for every source.

Columns: `ok` (the native verdict), `text` (the row as JSON), `flaw` (what the reader found, as "Keyword: message"),
`others` (members that the contract does not name), `lacks` (those it names and the row has not), `file`, `number`,
`row` (a struct of the contract's columns, to be trusted where ok).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import quoted
from lakehouse_jobs.contract.cell import Cell
from lakehouse_jobs.contract.conditions import Condition, all_of
from lakehouse_jobs.contract.json_rows import read_json
from lakehouse_jobs.contract.native import accepts
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.contract.typed_cells import typed_cells, typed_text

UNREADABLE: Final = "Unreadable"
"""The flaw of a file that as a whole is not of its format; no row of it can be found."""
NO_TEXT: Final = "Encoding: it has bytes that are no text in the file's encoding"


def no_rows(spark: SparkSession, contract: Contract) -> DataFrame:
    """Give the shape without a row."""
    row = ", ".join(f"{quoted(field.name)}: {field.ddl}" for field in contract.fields)
    shape = "ok boolean, text string, flaw string, others array<string>, lacks array<string>, file string,"
    return spark.createDataFrame([], f"{shape} number bigint, row struct<{row}>")


def json_text_rows(lines: DataFrame, contract: Contract, *, flaw: Column) -> DataFrame:
    """Judge lines with the columns `value` (a JSON text), `file` and `place` (the row's number there)."""
    read = lines.select("*", read_json(lines.sparkSession, F.col("value"), contract).alias("read"))
    found = read.select("*", F.coalesce(flaw, F.when(~F.is_valid_utf8("value"), F.lit(NO_TEXT))).alias("found"))
    return found.select(
        (F.col("found").isNull() & F.coalesce("read.ok", F.lit(False))).alias("ok"),  # noqa: FBT003 (a literal)
        F.col("value").alias("text"),
        F.col("found").cast("string").alias("flaw"),
        "read.others",
        "read.lacks",
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
    members = [each for each in rows.schema if each.name != flaw]
    columns = {each.name: (rows[quoted(each.name)], each.dataType) for each in members}
    others = [name for name in columns if name not in contract.names]
    present = [F.when(columns[name][0].isNotNull(), F.lit(name)) for name in others]
    cells = typed_cells(contract, columns)
    return judged_rows(
        rows,
        contract,
        cells,
        no_others=all_of(columns[name][0].isNull() for name in others),
        text=typed_text(columns),
        flaw=F.col(flaw) if flaw else F.lit(None),
        others=F.array_compact(F.array(*present)) if present else F.lit(None),
        lacks=named(contract.names.difference(columns)),
        file=file,
        number=number,
    )


def judged_rows(
    source: DataFrame,
    contract: Contract,
    cells: Mapping[str, Cell],
    *,
    no_others: Condition,
    text: Column,
    flaw: Column,
    others: Column,
    lacks: Column,
    file: Column,
    number: Column,
) -> DataFrame:
    """Bring rows into the shape."""
    ok = accepts(contract, cells, no_others=no_others) & flaw.isNull()
    return source.select(
        ok.alias("ok"),
        text.alias("text"),
        flaw.cast("string").alias("flaw"),
        others.cast("array<string>").alias("others"),
        lacks.cast("array<string>").alias("lacks"),
        file.alias("file"),
        number.cast("bigint").alias("number"),
        F.struct(*(cells[field.name].column.alias(field.name) for field in contract.fields)).alias("row"),
    )


def named(names: Iterable[str]) -> Column:
    """Give names as a column, NULL when there are none: the same for every row, they cost nothing."""
    found = [F.lit(name) for name in sorted(names)]
    return F.array(*found) if found else F.lit(None)
