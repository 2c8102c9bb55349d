"""A job that uses all that the image promises, one after the other; prints the name of each that worked."""

import sys
from collections.abc import Callable

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

ROOT = sys.argv[1]


def delta(spark: SparkSession) -> None:
    table = f"{ROOT}/table"
    spark.range(100).selectExpr("id", "id % 7 AS day").write.format("delta").save(table)
    handle = DeltaTable.forPath(spark, table)
    more = spark.range(90, 110).selectExpr("id", "-1L AS day").alias("s")
    handle.alias("t").merge(more, "t.id = s.id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()
    handle.delete("id < 10")
    handle.optimize().executeZOrderBy("id")
    handle.vacuum(1000)
    assert spark.read.format("delta").load(table).count() == 100
    assert spark.read.format("delta").option("versionAsOf", 0).load(table).count() == 100
    stream = spark.readStream.format("delta").load(table).writeStream.format("delta")
    stream.option("checkpointLocation", f"{ROOT}/checkpoint").trigger(availableNow=True).start(
        f"{ROOT}/copy"
    ).awaitTermination()
    spark.sql(f"CREATE TABLE accounts USING delta LOCATION '{table}'")
    assert spark.table("accounts").filter("day = -1").count() == 20


def files(spark: SparkSession) -> None:
    for kind in ("csv", "json", "parquet", "orc", "xml"):
        writer = spark.range(3).write.mode("overwrite").option("header", "true").option("rowTag", "row")
        writer.format(kind).save(f"{ROOT}/{kind}")
        reader = spark.read.option("header", "true").option("rowTag", "row")
        assert reader.format(kind).load(f"{ROOT}/{kind}").count() == 3, kind


def sql(spark: SparkSession) -> None:
    row = spark.sql(
        "SELECT 'a' COLLATE UNICODE_CI = 'A' AS same, variant_get(parse_json('{\"a\": 1}'), '$.a', 'INT') AS variant,"
        " hll_sketch_estimate(hll_sketch_agg(id)) AS about FROM range(10)"
    ).first()
    assert row is not None
    assert (row["same"], row["variant"], row["about"]) == (True, 1, 10)


def python_functions(spark: SparkSession) -> None:
    add = f.udf(lambda number: number + 1, "long")
    assert [row[0] for row in spark.range(3).select(add("id")).collect()] == [1, 2, 3]


def jdbc(spark: SparkSession) -> None:
    reader = spark.read.format("jdbc").option("url", "jdbc:postgresql://127.0.0.1:1/none").option("dbtable", "t")
    assert "Couldn't connect to the database" in failure(reader.load)  # without a driver: "No suitable driver"


def kafka(spark: SparkSession) -> None:
    reader = spark.read.format("kafka").option("kafka.bootstrap.servers", "127.0.0.1:1").option("subscribe", "topic")
    reader = reader.option("kafka.request.timeout.ms", "500").option("kafka.default.api.timeout.ms", "600")
    assert "Timed out waiting for a node assignment" in failure(reader.load().count)


def kubernetes(spark: SparkSession) -> None:
    client = spark._jvm.io.fabric8.kubernetes.client.KubernetesClientBuilder().build()  # type: ignore[union-attr]
    assert "podoperations" in client.pods().inNamespace("none").getClass().getName().lower()


def failure(action: Callable[[], object]) -> str:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - of Spark or of a driver below it
        return str(error)
    return "nothing failed"


def main() -> None:
    spark = SparkSession.builder.getOrCreate()
    for check in (delta, files, sql, python_functions, jdbc, kafka, kubernetes):
        check(spark)
        sys.stdout.write(f"works: {check.__name__}\n")
    spark.stop()


if __name__ == "__main__":
    main()
