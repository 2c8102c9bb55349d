"""From planned files to rows, by format.

A row's number counts the records of its file from 1. A file in a text format is read by one task, so the record's place
in the task is its place in the file: no count of earlier parts is needed, and a quoted line break cannot be taken for a
record's end. Parquet files are split, because their reader knows the place of each row.
"""

import json
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from lakehouse_api.sources.files import FileFormat, FilesSource
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.ingest.lines import file_name, ndjson_lines, place_in_task, read_files_whole
from lakehouse_jobs.ingest.rows import NO_TEXT, UNREADABLE, judged_rows, named, no_rows, typed_rows
from lakehouse_jobs.ingest.sources.files.options import csv_dialect
from lakehouse_jobs.ingest.work import FileGroup
from lakehouse_jobs.storage import to_hadoop

_REPLACED: Final = "\ufffd"
_MANY_COLUMNS: Final = 300
"""Up to here each column is named for itself, which costs a row half the time."""


def read_rows(spark: SparkSession, source: FilesSource, groups: Sequence[FileGroup], contract: Contract) -> DataFrame:
    """Describe the rows of groups of files in a text format; nothing is read until they are asked for."""
    read_files_whole(spark)
    readers = {
        FileFormat.CSV: _csv_rows,
        FileFormat.NDJSON: _ndjson_rows,
        FileFormat.JSON: _json_rows,
    }
    read = readers[source.format]
    parts = [read(spark, source, group, contract) for group in groups if _has_rows(source, group)]
    return reduce(DataFrame.union, parts) if parts else no_rows(spark, contract)


def _has_rows(source: FilesSource, group: FileGroup) -> bool:
    return bool(group.columns) if source.format is FileFormat.CSV else bool(group.files)


def _paths(group: FileGroup) -> list[str]:
    return [to_hadoop(file.uri) for file in group.files]


def _csv_rows(spark: SparkSession, source: FilesSource, group: FileGroup, contract: Contract) -> DataFrame:
    names = group.columns
    schema = StructType([StructField(f"c{place}", StringType()) for place in range(len(names))])
    reader = spark.read.schema(schema.add("broken", StringType())).option("__globPaths__", "false")
    read = reader.options(**csv_dialect(source.options).reader_options()).csv(_paths(group))
    numbered = read.withColumns({"file": file_name(), "place": place_in_task()})
    columns = {name: f"c{place}" for place, name in enumerate(names)}
    record = (_wide if len(names) > _MANY_COLUMNS else _narrow)(columns)
    lines = numbered.select(
        F.when(F.col("broken").isNull(), record).otherwise(_as_json(F.col("broken"))).alias("value"),
        F.col("broken").isNotNull().alias("uneven"),
        "file",
        "place",
    )
    uneven = F.lit(f"Malformed: the record has not as many cells as the header ({len(names)}), or an open quote")
    flaw = F.when(F.col("uneven"), uneven).when(F.contains("value", F.lit(_REPLACED)), F.lit(NO_TEXT))
    return judged_rows(lines, contract, flaw=flaw, cells=True, lacks=named(contract.names.difference(names)))


def _narrow(columns: Mapping[str, str]) -> Column:
    """Write the cells of a record that are not empty as a JSON object."""
    texts = {name: F.col(column) for name, column in columns.items()}
    return F.to_json(F.struct(*(F.when(text != "", text).alias(name) for name, text in texts.items())))


def _wide(columns: Mapping[str, str]) -> Column:
    """Write the same from an array: Spark takes minutes to plan thousands of columns that are named one by one."""
    names = F.from_json(F.lit(json.dumps(list(columns))), ArrayType(StringType()))
    cells = F.expr(f"array({', '.join(columns.values())})").cast("array<string>")
    return F.to_json(F.map_filter(F.map_from_arrays(names, cells), lambda _, text: text != ""))


def _ndjson_rows(spark: SparkSession, _source: FilesSource, group: FileGroup, contract: Contract) -> DataFrame:
    lines = ndjson_lines(spark, [file.uri for file in group.files])
    return judged_rows(lines, contract, flaw=F.lit(None).cast("string"))


def _json_rows(spark: SparkSession, _source: FilesSource, group: FileGroup, contract: Contract) -> DataFrame:
    reader = spark.read.option("__globPaths__", "false").option("recursiveFileLookup", "true")
    split = F.udf(json_elements, ArrayType(StringType()), useArrow=False)
    files = reader.text(_paths(group), wholetext=True).select(
        split("value").alias("elements"), file_name().alias("file")
    )
    unreadable = F.when(F.col("value").isNull(), F.lit(f"{UNREADABLE}: not a JSON document of objects"))
    elements = F.coalesce(F.col("elements"), F.array(F.lit(None).cast("string")))
    rows = files.select("file", F.posexplode(elements).alias("place", "value"))
    return judged_rows(rows.withColumn("place", F.col("place") + 1), contract, flaw=unreadable)


def json_elements(document: str) -> list[str] | None:
    """Cut a JSON document into the texts of its elements, unchanged: those of an array, or the document itself."""
    text = document.removeprefix("\ufeff").strip()
    try:
        return _cut_array(text) if text.startswith("[") else _cut_single(text)
    except (ValueError, IndexError, RecursionError):
        return None


def _cut_single(text: str) -> list[str]:
    if text:
        json.loads(text)
    return [text] if text else []


def _cut_array(text: str) -> list[str]:
    elements: list[str] = []
    at = _skip_space(text, 1)
    if text[at] == "]":
        separator, at = "]", at + 1
    else:
        separator = ","
    while separator == ",":
        start = _skip_space(text, at)
        _, end = json.JSONDecoder().raw_decode(text, start)
        elements.append(text[start:end])
        at = _skip_space(text, end)
        separator, at = text[at], at + 1
    if separator != "]" or text[at:]:
        raise ValueError("no array")
    return elements


def _skip_space(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def parquet(spark: SparkSession, group: FileGroup) -> DataFrame:
    """Open Parquet files with the columns of all of them."""
    reader = spark.read.option("mergeSchema", "true").option("__globPaths__", "false")
    return reader.option("recursiveFileLookup", "true").parquet(*_paths(group))


def parquet_rows(opened: DataFrame, contract: Contract) -> DataFrame:
    """Describe the rows of Parquet files. They are split, because their reader knows the place of each row."""
    return typed_rows(opened, contract, file=file_name(), number=F.col("_metadata.row_index") + 1)


def _as_json(text: Column) -> Column:
    """Write a text as a JSON string: Spark writes JSON of arrays, so the brackets are cut off."""
    array = F.to_json(F.array(text))
    return F.substring(array, F.lit(2), F.length(array) - 2)
