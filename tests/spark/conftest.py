"""One S3 store and one Spark session for all tests here, both real; each test has a folder of its own in the bucket."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse_api.run import Store
from lakehouse_dev.kafka import Kafka, start_kafka
from lakehouse_dev.s3 import S3, start_s3
from lakehouse_dev.schema_registry import Registry, start_registry
from lakehouse_dev.spark_jars import job_jars
from lakehouse_jobs.driver_log import keep_log
from lakehouse_jobs.session import REQUIRED, reach
from tests.spark.lake import BUCKET, CREDENTIALS_PREFIX, Lake, store
from tests.spark.stream import Stream

REPOSITORY = Path(__file__).parents[2]
PYTHON_PATH = os.pathsep.join(str(REPOSITORY / each) for each in ("operator", "spark_images"))
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
SPARK_CONF = {
    **REQUIRED,
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.delta.logStore.s3a.impl": "dev.lakehouse.spark.S3ConditionalLogStore",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.shuffle.partitions": "2",
    "spark.log.level": "ERROR",
}
FEW_ROWS = {
    # The tests are over before a better compiler or a parallel collector would pay. With the first compiler alone, code
    # has 48 MB, and hundreds of runs in one JVM need more: it would spend a third of its time on making room.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m",
    # to write and compile Java for a query, or to look at it anew after each stage, takes longer than a few rows do
    **INTERPRETED,
    "spark.sql.adaptive.enabled": "false",
    # nobody looks at the plans of queries that are over, which fill the heap
    "spark.sql.ui.retainedExecutions": "1",
    "spark.ui.retainedJobs": "10",
    "spark.ui.retainedStages": "10",
}


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with start_s3(tmp_path_factory.mktemp("s3")) as server:
        os.environ[f"{CREDENTIALS_PREFIX}_ACCESS_KEY_ID"] = server.access_key
        os.environ[f"{CREDENTIALS_PREFIX}_SECRET_ACCESS_KEY"] = server.secret_key
        os.environ |= {"WRONG_ACCESS_KEY_ID": "nobody", "WRONG_SECRET_ACCESS_KEY": "nothing"}
        server.client().create_bucket(Bucket=BUCKET)
        yield server


@pytest.fixture(scope="session")
def spark(s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    builder = SparkSession.builder.config("spark.local.dir", str(tmp_path_factory.mktemp("spark")))
    builder = builder.config("spark.driver.extraClassPath", f"{job_jars()}/*")
    os.environ["PYTHONPATH"] = PYTHON_PATH  # as the image sets it, for Spark's Python workers
    os.environ["PYSPARK_PYTHON"] = sys.executable  # theirs have the packages of this one
    for key, value in {**SPARK_CONF, **FEW_ROWS}.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    reach(session, [Store.model_validate(store(s3))])
    yield session
    session.stop()


@pytest.fixture
def compiled(spark: SparkSession) -> Iterator[None]:
    """Queries compiled as in a driver: for tests whose subject is what is judged, value by value."""
    for key in INTERPRETED:
        spark.conf.unset(key)
    yield
    for key, value in INTERPRETED.items():
        spark.conf.set(key, value)


@pytest.fixture
def lake(s3: S3, spark: SparkSession, request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    name = re.sub(r"\W+", "-", request.node.name)[:40].strip("-")
    return Lake(s3=s3, spark=spark, prefix=f"{name}-{tmp_path.name}")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with start_kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with start_registry(tmp_path_factory.mktemp("registry")) as server:
        yield server


@pytest.fixture
def stream(broker: Kafka, lake: Lake) -> Stream:
    topic = f"people-{lake.prefix}"
    broker.create_topic(topic, partitions=2)
    return Stream(broker=broker, lake=lake, topic=topic)


@pytest.fixture
def driver_log(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """The log that a driver keeps, for one test: a second one of the same name would stay empty."""
    handlers = list(logging.getLogger().handlers)
    jvm: Any = spark._jvm
    keep_log(spark, tmp_path / "driver.log")
    yield tmp_path / "driver.log"
    configuration = jvm.org.apache.logging.log4j.LogManager.getContext(False).getConfiguration()  # noqa: FBT003 (Java)
    configuration.getRootLogger().removeAppender("lakehouse-driver-log")
    for handler in set(logging.getLogger().handlers) - set(handlers):
        logging.getLogger().removeHandler(handler)
        handler.close()
