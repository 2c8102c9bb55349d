"""Files in text formats, read so that each record's place in its file is known.

Such a file is read by one task, so the record's place in the task is its place in the file.
"""

from collections.abc import Sequence
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_jobs.storage import to_hadoop

_WHOLE_FILES: Final = str(2**50)
_PLACES_OF_A_TASK: Final = 2**33


def read_files_whole(spark: SparkSession) -> None:
    """Give each file to one task, and no other file with it."""
    spark.conf.set("spark.sql.files.maxPartitionBytes", _WHOLE_FILES)
    spark.conf.set("spark.sql.files.openCostInBytes", _WHOLE_FILES)


def ndjson_lines(spark: SparkSession, uris: Sequence[str]) -> DataFrame:
    """Read lines that are not blank: `value`, `file` and `place`, the line's number from 1."""
    read_files_whole(spark)
    reader = spark.read.option("__globPaths__", "false").option("recursiveFileLookup", "true")
    lines = reader.text([to_hadoop(uri) for uri in uris])
    numbered = lines.select("value", file_name().alias("file"), place_in_task().alias("place"))
    bom = F.when(F.col("place") == 1, F.ltrim(F.col("value"), F.lit("\ufeff"))).otherwise(F.col("value"))
    return numbered.withColumn("value", bom).where(F.trim("value") != "")


def place_in_task() -> Column:
    """Count the records of a task from 1."""
    return F.monotonically_increasing_id() % _PLACES_OF_A_TASK + 1


def file_name() -> Column:
    """Name the file of a row as users do: Spark percent-encodes its path, in which a plus is a plus."""
    decoded = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
    return F.regexp_replace(decoded, "^s3a://", "s3://")
