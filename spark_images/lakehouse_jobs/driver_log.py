"""The end of the driver's own log, kept while the job runs, so that it can be stored beside the report."""

import logging
from pathlib import Path
from typing import Any, Final

from pyspark.sql import SparkSession

TAIL_BYTES: Final = 64 << 10
_PATTERN: Final = "%d{yyyy-MM-dd'T'HH:mm:ss.SSSX}{UTC} %p %c{1}: %m%n%ex"
_NOISE: Final = ("org.apache.spark.sql.catalyst.csv.CSVHeaderChecker",)  # our readers name columns by place on purpose


def keep_log(spark: SparkSession, file: Path) -> None:
    """Write what Spark and the job log to a file too. Only what reaches the console reaches the file."""
    jvm: Any = spark._jvm  # noqa: SLF001 (log4j has no door in PySpark)
    log4j = jvm.org.apache.logging.log4j
    configuration = log4j.LogManager.getContext(False).getConfiguration()  # noqa: FBT003 (a Java call)
    layout = log4j.core.layout.PatternLayout.newBuilder().withPattern(_PATTERN).build()
    builder = log4j.core.appender.FileAppender.newBuilder().withFileName(str(file)).withAppend(True)  # noqa: FBT003 (the same)
    appender = builder.setName("lakehouse-driver-log").setLayout(layout).build()
    appender.start()
    configuration.getRootLogger().addAppender(appender, None, None)
    for name in _NOISE:
        log4j.core.config.Configurator.setLevel(name, log4j.Level.ERROR)
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)


def tail(file: Path) -> str:
    """Give the end of the log, from the beginning of a line."""
    if not file.exists():
        return ""
    data = file.read_bytes()[-TAIL_BYTES:]
    text = data.decode(errors="replace")
    return text if len(data) < TAIL_BYTES else text.partition("\n")[2]
