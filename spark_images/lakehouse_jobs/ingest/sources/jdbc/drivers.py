"""JDBC drivers: those on the class path, and those of a folder that are loaded only when a source needs them.

Snowflake's driver is one jar of 100 MB with 48,000 entries. On the class path every JVM would open it at its start.
"""

import os
from pathlib import Path
from typing import Any, Final

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from lakehouse_jobs.failures import spec_wrong

FOLDER: Final = "LAKEHOUSE_JDBC_DRIVERS"
"""Environment variable that names another folder than that of the image."""

_IMAGE_FOLDER: Final = "/opt/spark/drivers"
_TELLTALE: Final = "org.apache.spark.sql.execution.datasources.jdbc.connection"


def hide_passwords(spark: SparkSession) -> None:
    """Keep Spark from logging what it tells a driver, which it does at level debug."""
    log4j: Any = spark._jvm.org.apache.logging.log4j  # type: ignore[union-attr]  # noqa: SLF001 (log4j is Java's)
    log4j.core.config.Configurator.setLevel(_TELLTALE, log4j.Level.INFO)


def driver_class(spark: SparkSession, name: str) -> Any:
    """Give the Java class of a driver, after making it known to this JVM and to executors."""
    found = _find(spark, name)
    if found is None:
        _load_jars(spark)
        found = _find(spark, name)
    if found is None:
        raise spec_wrong(
            "DriverMissing", f"this image has no JDBC driver {name}. Use an image of this operator as spec.spark.image."
        )
    return found


def _find(spark: SparkSession, name: str) -> Any:
    jvm: Any = spark._jvm  # noqa: SLF001 (class loading is Java's)
    try:
        return jvm.java.lang.Class.forName(name, True, _loader(jvm))  # noqa: FBT003 (a Java call)
    except Py4JJavaError as error:
        if error.java_exception.getClass().getName() == "java.lang.ClassNotFoundException":
            return None
        raise


def _load_jars(spark: SparkSession) -> None:
    jvm: Any = spark._jvm  # noqa: SLF001 (the same)
    for jar in sorted(Path(os.environ.get(FOLDER, _IMAGE_FOLDER)).glob("*.jar")):
        _loader(jvm).addURL(jvm.java.net.URL(jar.as_uri()))
        spark.sparkContext._jsc.addJar(f"local:{jar}")  # noqa: SLF001 (executors have the same image)


def _loader(jvm: Any) -> Any:
    """Give the loader through which Spark finds drivers; spark-submit made one that can be added to."""
    return jvm.org.apache.spark.util.Utils.getContextOrSparkClassLoader()
