"""A Spark driver that appends single rows to a Delta table and says which appends were acknowledged.

Usage: appender.py <table> <name> <count>, with Spark's configuration in the environment (PYSPARK_SUBMIT_ARGS).
It makes the table if missing, prints `ready`, waits for a line, and then prints the number of each acknowledged append.
"""

import sys

from pyspark.sql import SparkSession


def main() -> None:
    table, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    spark = SparkSession.builder.getOrCreate()
    spark.sql(f"CREATE TABLE IF NOT EXISTS delta.`{table}` (driver STRING, number INT) USING delta")
    say("ready")
    sys.stdin.readline()
    for number in range(count):
        row = spark.sql(f"SELECT '{name}' AS driver, {number} AS number")
        row.coalesce(1).write.format("delta").mode("append").save(table)
        say(number)


def say(what: object) -> None:
    """Tell the test at once."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
