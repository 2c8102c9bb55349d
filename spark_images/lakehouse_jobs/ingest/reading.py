"""From the files of a plan to rows with a native verdict, the same shape for every format.

Columns: `ok` (the native verdict), `text` (the row as JSON, where it is not ok), `flaw` (what the reader found, as
"Keyword: message"), `others` (members that the contract does not name), `file`, `number`, `row` (a struct of the
contract's columns, to be trusted where ok).

`number` counts the records of a file from 1. A file in a text format is read by one task, so the record's place in the
task is its place in the file: no count of earlier parts is needed, and a quoted line break cannot be taken for a
record's end. Parquet files are split, because their reader knows the place of each row.
"""

import json
import secrets
from collections.abc import Mapping
from functools import reduce
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType, TimestampType

from lakehouse_api.ingest_pipeline import FileFormat
from lakehouse_jobs.contract.cells import MOMENT, csv_cells, json_cells, json_column_type, typed_cells
from lakehouse_jobs.contract.native import Cell, accepts, always, never
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.ingest.options import csv_dialect
from lakehouse_jobs.ingest.plan import FileGroup, Plan
from lakehouse_jobs.storage import to_hadoop

UNREADABLE: Final = "Unreadable"
"""The flaw of a file that as a whole is not of its format; no row of it can be found."""

_WHOLE_FILES: Final = str(2**50)
_PLACES_OF_A_TASK: Final = 2**33
_STRICT_JSON: Final = {
    "allowSingleQuotes": "false",
    "allowNonNumericNumbers": "false",
    "columnNameOfCorruptRecord": "broken",
}
_TEXT_AND_MARK: Final = 2
_LONE_SURROGATE: Final = r"(?i)\\ud[89a-f]"
_REPLACED: Final = "\ufffd"
_NO_TEXT: Final = "Encoding: it has bytes that are no text in the file's encoding"


def read_rows(spark: SparkSession, plan: Plan, contract: Contract) -> DataFrame:
    """Describe the rows of a plan; nothing is read until they are asked for."""
    if plan.source.format is not FileFormat.PARQUET:
        spark.conf.set("spark.sql.files.maxPartitionBytes", _WHOLE_FILES)
        spark.conf.set("spark.sql.files.openCostInBytes", _WHOLE_FILES)
    readers = {
        FileFormat.CSV: _csv_rows,
        FileFormat.NDJSON: _ndjson_rows,
        FileFormat.JSON: _json_rows,
        FileFormat.PARQUET: _parquet_rows,
    }
    read = readers[plan.source.format]
    parts = [read(spark, plan, group, contract) for group in plan.groups if _has_rows(plan, group)]
    return reduce(DataFrame.union, parts) if parts else spark.createDataFrame([], _shape(contract))


def _has_rows(plan: Plan, group: FileGroup) -> bool:
    return bool(group.columns) if plan.source.format is FileFormat.CSV else bool(group.files)


def _shape(contract: Contract) -> str:
    row = ", ".join(f"`{field.name.replace('`', '``')}`: {field.ddl}" for field in contract.fields)
    return f"ok boolean, text string, flaw string, others array<string>, file string, number bigint, row struct<{row}>"


def columns_ignored(group: FileGroup, contract: Contract) -> list[str]:
    """Name the columns of a CSV header that the contract does not."""
    return [name for name in group.columns if name not in contract.names]


def _paths(group: FileGroup) -> list[str]:
    return [to_hadoop(file.uri) for file in group.files]


def _csv_rows(spark: SparkSession, plan: Plan, group: FileGroup, contract: Contract) -> DataFrame:
    names = group.columns
    schema = StructType([StructField(f"c{place}", StringType()) for place in range(len(names))])
    reader = spark.read.schema(schema.add("broken", StringType())).option("__globPaths__", "false")
    rows = reader.options(**csv_dialect(plan.source.options).reader_options()).csv(_paths(group))
    texts = {name: F.col(f"c{place}") for place, name in enumerate(names)}
    others = [texts[name] for name in columns_ignored(group, contract)]
    uneven = F.lit(f"Malformed: the record has not as many cells as the header ({len(names)}), or an open quote")
    flaw = F.when(F.col("broken").isNotNull(), uneven).when(
        F.contains(F.concat_ws("", *texts.values()), F.lit(_REPLACED)), F.lit(_NO_TEXT)
    )
    cells = csv_cells(contract, texts)
    present = [F.when(text != "", text).alias(name) for name, text in texts.items()]
    return _rows(
        rows,
        contract,
        cells,
        no_others=reduce(lambda so_far, text: so_far & (F.coalesce(text, F.lit("")) == ""), others, always()),
        text=F.when(F.col("broken").isNull(), F.to_json(F.struct(*present))).otherwise(_as_json(F.col("broken"))),
        flaw=flaw,
        others=F.lit(None),
        number=_place_in_task(),
    )


def _ndjson_rows(spark: SparkSession, _plan: Plan, group: FileGroup, contract: Contract) -> DataFrame:
    lines = spark.read.option("__globPaths__", "false").option("recursiveFileLookup", "true").text(_paths(group))
    numbered = lines.select("*", "_metadata.file_path", _place_in_task().alias("place"))
    bom = F.when(F.col("place") == 1, F.ltrim(F.col("value"), F.lit("\ufeff"))).otherwise(F.col("value"))
    lines = numbered.withColumn("value", bom).where(F.trim("value") != "")
    return _json_text_rows(lines, contract, flaw=F.lit(None).cast("string"))


def _json_rows(spark: SparkSession, _plan: Plan, group: FileGroup, contract: Contract) -> DataFrame:
    reader = spark.read.option("__globPaths__", "false").option("recursiveFileLookup", "true")
    split = F.udf(json_elements, ArrayType(StringType()), useArrow=False)
    files = reader.text(_paths(group), wholetext=True).select(split("value").alias("elements"), "_metadata.file_path")
    unreadable = F.when(F.col("value").isNull(), F.lit(f"{UNREADABLE}: not a JSON document of objects"))
    elements = F.coalesce(F.col("elements"), F.array(F.lit(None).cast("string")))
    rows = files.select("file_path", F.posexplode(elements).alias("place", "value"))
    return _json_text_rows(rows.withColumn("place", F.col("place") + 1), contract, flaw=unreadable)


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


def _json_text_rows(lines: DataFrame, contract: Contract, *, flaw: Column) -> DataFrame:
    """Read the members of `value` once, inside a document of our own.

    Spark's reader stops at the end of the first value and would not see what follows. So the text is made the first of
    two elements, the second being a mark. If there are just two and the last is the mark, the text was one whole value:
    whatever follows it would have ended the array, or begun another element. Nobody can guess the names used.
    """
    array, mark = f"a{secrets.token_hex(8)}", f"m{secrets.token_hex(8)}"
    members = StructType([StructField(field.name, json_column_type(field)) for field in contract.fields])
    elements = ArrayType(members.add(mark, StringType()))
    schema = StructType().add(array, elements).add("broken", StringType())
    wrapped = F.concat(F.lit(f'{{"{array}":['), F.col("value"), F.lit(f',{{"{mark}":"."}}]}}'))
    parsed = lines.select("*", F.from_json(wrapped, schema, _STRICT_JSON).alias("parsed"))
    first, last = (F.get(F.col(f"parsed.{array}"), F.lit(place)) for place in (0, 1))
    whole = F.col("parsed.broken").isNull() & (F.size(F.col(f"parsed.{array}")) == _TEXT_AND_MARK) & (last[mark] == ".")
    whole = whole & first.isNotNull()
    found = {field.name: first[field.name] for field in contract.fields}
    clean = F.is_valid_utf8("value") & ~F.rlike("value", F.lit(_LONE_SURROGATE))
    others = F.array_except(F.json_object_keys("value"), F.array(*map(F.lit, sorted(contract.names))))
    return _rows(
        parsed,
        contract,
        json_cells(contract, found, F.col("value")),
        no_others=F.size(others) == 0,
        text=F.col("value"),
        flaw=F.coalesce(flaw, F.when(~F.is_valid_utf8("value"), F.lit(_NO_TEXT))),
        others=others,
        number=F.col("place"),
        also=whole & clean,
        path="file_path",
    )


def _parquet_rows(spark: SparkSession, _plan: Plan, group: FileGroup, contract: Contract) -> DataFrame:
    reader = spark.read.option("mergeSchema", "true").option("__globPaths__", "false")
    rows = reader.option("recursiveFileLookup", "true").parquet(*_paths(group))
    columns = {each.name: (rows[f"`{each.name.replace('`', '``')}`"], each.dataType) for each in rows.schema}
    others = [name for name in columns if name not in contract.names]
    present = [F.when(columns[name][0].isNotNull(), F.lit(name)) for name in others]
    cells = typed_cells(contract, columns)
    instance = F.struct(*(_as_instance(column, kind).alias(name) for name, (column, kind) in columns.items()))
    return _rows(
        rows,
        contract,
        cells,
        no_others=reduce(lambda so_far, name: so_far & columns[name][0].isNull(), others, always()),
        text=F.to_json(instance, {"timestampFormat": MOMENT}),
        flaw=F.lit(None),
        others=F.array_compact(F.array(*present)) if present else F.lit(None),
        number=F.col("_metadata.row_index") + 1,
    )


def _as_instance(column: Column, kind: DataType) -> Column:
    return F.date_format(column, MOMENT) if isinstance(kind, TimestampType) else column


def _rows(
    source: DataFrame,
    contract: Contract,
    cells: Mapping[str, Cell],
    *,
    no_others: Column,
    text: Column,
    flaw: Column,
    others: Column,
    number: Column,
    also: Column | None = None,
    path: str = "_metadata.file_path",
) -> DataFrame:
    ok = accepts(contract, cells, no_others=no_others) & flaw.isNull()
    ok = ok if also is None else ok & F.coalesce(also, never())
    judged = source.select(
        ok.alias("ok"),
        text.alias("text"),
        flaw.cast("string").alias("flaw"),
        others.cast("array<string>").alias("others"),
        _as_user_names(F.col(path)).alias("file"),
        number.cast("bigint").alias("number"),
        F.struct(*(cells[field.name].column.alias(field.name) for field in contract.fields)).alias("row"),
    )
    return judged.withColumn("text", F.when(~F.col("ok"), F.col("text")))


def _place_in_task() -> Column:
    return F.monotonically_increasing_id() % _PLACES_OF_A_TASK + 1


def _as_user_names(path: Column) -> Column:
    """Undo Spark's percent-encoding of file names, in which a plus is a plus."""
    decoded = F.url_decode(F.replace(path, F.lit("+"), F.lit("%2B")))
    return F.regexp_replace(decoded, "^s3a://", "s3://")


def _as_json(text: Column) -> Column:
    """Write a text as a JSON string: Spark writes JSON of arrays, so the brackets are cut off."""
    array = F.to_json(F.array(text))
    return F.substring(array, F.lit(2), F.length(array) - 2)
