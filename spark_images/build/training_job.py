# ruff: noqa: INP001  # scripts of the image's build, which nothing imports
"""A job that does once what the image's jobs do: reads files, writes, changes, reads and maintains Delta tables."""

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

ROOT = "s3://training"


def main() -> None:
    """Run every kind of work on a few rows."""
    spark = SparkSession.builder.getOrCreate()
    files(spark)
    tables(spark)
    sql(spark)
    spark.stop()


def files(spark: SparkSession) -> None:
    """Write and read each format."""
    rows = spark.createDataFrame([(n, f"name {n}", n / 2) for n in range(100)], "id long, name string, amount double")
    for kind in ("csv", "json", "parquet"):
        rows.write.mode("overwrite").format(kind).option("header", "true").save(f"{ROOT}/{kind}")
        read = spark.read.schema(rows.schema).format(kind).option("header", "true").load(f"{ROOT}/{kind}")
        read.filter("id > 5").groupBy("name").agg(f.sum("amount"), f.countDistinct("id")).orderBy("name").collect()


def tables(spark: SparkSession) -> None:
    """Write, merge, delete, optimize and read a Delta table."""
    table = f"{ROOT}/table"
    source = spark.read.schema("id long, name string, amount double").csv(f"{ROOT}/csv")
    rows = source.withColumn("time", f.current_timestamp()).withColumn("file", f.col("_metadata.file_path"))
    rows.write.format("delta").save(table)
    rows.write.format("delta").mode("append").option("txnAppId", "training").option("txnVersion", 1).save(table)
    delta = DeltaTable.forPath(spark, table)
    delta.alias("t").merge(rows.alias("s"), "t.id = s.id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()
    delta.delete("id = 1")
    delta.optimize().executeCompaction()
    delta.history(1).collect()
    for number in range(8):  # to the first checkpoint
        spark.range(number, number + 1).selectExpr("id", "'x' name", "1D amount").write.format("delta").option(
            "mergeSchema", "true"
        ).mode("append").save(table)
    spark.read.format("delta").load(table).filter("id > 2").count()


def sql(spark: SparkSession) -> None:
    """Use the catalogue and what contracts are compiled to."""
    spark.sql(f"CREATE TABLE accounts USING delta LOCATION '{ROOT}/table'")
    spark.sql("SELECT name, row_number() OVER (PARTITION BY name ORDER BY id) FROM accounts").collect()
    spark.sql(
        "SELECT from_json('{\"a\": 1}', 'a INT'), to_json(named_struct('a', 1)), name RLIKE '^[a-z]+$' FROM accounts"
    )
    spark.range(10).select(f.udf(lambda number: number + 1, "long")("id")).collect()


if __name__ == "__main__":
    main()
