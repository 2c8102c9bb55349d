"""The Spark session of a job, and how it reaches the stores of its run."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pyspark.sql import SparkSession

from lakehouse_api.run import Store

BOUNDED_RETRIES: Final = {
    # S3A's defaults try an unreachable endpoint for a quarter of an hour, twice: in the SDK and around it. Here a store
    # that refuses connections is given up in seconds, and one that takes them and is silent in three times 15 s. The
    # operator then tries the run again, with its reason in the status meanwhile.
    "fs.s3a.attempts.maximum": "0",
    "fs.s3a.retry.limit": "2",
    "fs.s3a.retry.interval": "500ms",
    "fs.s3a.connection.establish.timeout": "5s",
    "fs.s3a.connection.timeout": "15s",
}
REQUIRED: Final = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
}
_CREDENTIALS: Final = "dev.lakehouse.spark.EnvironmentCredentials"


def open_session(app: str) -> SparkSession:
    """Open the session; its size, master and tuning come from spark-submit's properties."""
    builder = SparkSession.builder.appName(app)
    for key, value in REQUIRED.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def reach(spark: SparkSession, stores: Iterable[Store]) -> None:
    """Tell Hadoop how to reach each bucket, before anything touches one."""
    conf: Any = spark._jsc.hadoopConfiguration()  # noqa: SLF001 (no public door)
    for key, value in BOUNDED_RETRIES.items():
        if not given_by_user(spark, key):
            conf.set(key, value)
    for store in stores:
        for key, value in bucket_options(store).items():
            conf.set(f"fs.s3a.bucket.{store.bucket}.{key}", value)


def given_by_user(spark: SparkSession, key: str) -> bool:
    """Tell whether the resource's own Spark configuration sets a Hadoop option."""
    return spark.sparkContext.getConf().contains(f"spark.hadoop.{key}")


def bucket_options(store: Store) -> Mapping[str, str]:
    """Give S3A's options of one bucket, without their common beginning."""
    options = {"path.style.access": str(store.path_style).lower()}
    if store.endpoint:
        options["endpoint"] = store.endpoint
        options["connection.ssl.enabled"] = str(not store.endpoint.startswith("http://")).lower()
    if store.region:
        options["endpoint.region"] = store.region
    if store.credentials_prefix:
        options["aws.credentials.provider"] = _CREDENTIALS
        options["lakehouse.credentials.prefix"] = store.credentials_prefix
    return options
