"""One cold Spark job: session, first commit of a table (100,000 rows), second commit, open and count.

Usage: job.py <table>. It prints the monotonic clock of the machine after each step, as one line of JSON.
"""

import json
import sys
import time

from pyspark.sql import DataFrame, SparkSession

ROWS, MORE = 100_000, 1_000


def main() -> None:
    """Do the steps."""
    table = sys.argv[1]
    spark = SparkSession.builder.getOrCreate()
    ends = {"session": time.monotonic()}
    rows(spark, ROWS).write.format("delta").save(table)
    ends["first commit"] = time.monotonic()
    rows(spark, MORE).write.format("delta").mode("append").save(table)
    ends["second commit"] = time.monotonic()
    count = spark.read.format("delta").load(table).count()
    ends["open and count"] = time.monotonic()
    sys.stdout.write(json.dumps({"ends": ends, "count": count}) + "\n")
    spark.stop()


def rows(spark: SparkSession, number: int) -> DataFrame:
    """Make rows of a few types."""
    return spark.range(number).selectExpr("id", "concat('name ', id) AS name", "id * 1.5 AS amount", "id % 7 AS day")


if __name__ == "__main__":
    main()
