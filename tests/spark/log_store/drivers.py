"""JVMs with the class path of the Spark image, in which the tests call log stores as Delta does."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import DEVNULL
from threading import Event
from typing import Any
from unittest.mock import patch

from py4j.protocol import Py4JJavaError
from pyspark import SparkConf
from pyspark.java_gateway import launch_gateway

from lakehouse_dev.spark_jars import job_jars

OURS = "dev.lakehouse.spark.S3ConditionalLogStore"
STOCK = "io.delta.storage.S3SingleDriverLogStore"
WAIT_SECONDS = 60
QUIET = {"stdout": DEVNULL, "stderr": DEVNULL}


class JavaError(Exception):
    """A Java exception: `kind` is its class, the text its message."""

    def __init__(self, error: Py4JJavaError) -> None:
        self.kind = error.java_exception.getClass().getName()
        super().__init__(f"{self.kind}: {error.java_exception.getMessage()}")


@dataclass(frozen=True, kw_only=True)
class Driver:
    """One JVM, as good as one Spark driver for everything a log store does."""

    jvm: Any

    def configuration(self, endpoint: str, options: dict[str, str] | None = None) -> Any:
        """Return a Hadoop configuration that shares no cached file system with any other."""
        conf = self.jvm.org.apache.hadoop.conf.Configuration()
        settings = {
            "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
            "fs.s3a.impl.disable.cache": "true",
            "fs.s3.impl.disable.cache": "true",
            "fs.s3a.endpoint": endpoint,
            "fs.s3a.endpoint.region": "us-east-1",
            "fs.s3a.path.style.access": "true",
            "fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider",
            "fs.s3a.attempts.maximum": "2",
            "fs.s3a.retry.limit": "1",
        }
        for key, value in (settings | (options or {})).items():
            conf.set(key, value)
        return conf

    def commit(self, store: str, path: str, lines: Any, conf: Any, *, overwrite: bool = False) -> None:
        """Write a file of a log; raises JavaError."""
        log_store = _class(self.jvm, store)(conf)
        iterator = lines if hasattr(lines, "hasNext") else self.jvm.java.util.ArrayList(lines).iterator()
        try:
            log_store.write(self.jvm.org.apache.hadoop.fs.Path(path), iterator, overwrite, conf)
        except Py4JJavaError as error:
            raise JavaError(error) from error

    def read(self, path: str, conf: Any) -> list[str]:
        """Return the lines of a file of a log."""
        lines = _class(self.jvm, OURS)(conf).read(self.jvm.org.apache.hadoop.fs.Path(path), conf)
        return list(_elements(lines))

    def names(self, path: str, conf: Any) -> list[str]:
        """Return the names that the log store lists from `path` on."""
        found = _class(self.jvm, OURS)(conf).listFrom(self.jvm.org.apache.hadoop.fs.Path(path), conf)
        return [status.getPath().getName() for status in _elements(found)]


@contextmanager
def driver(environment: dict[str, str] | None = None) -> Iterator[Driver]:
    """Start a JVM with some more environment variables; it ends with the block."""
    conf = SparkConf(loadDefaults=False).set("spark.driver.extraClassPath", f"{job_jars()}/*")
    with patch.dict(os.environ, environment or {}):
        gateway = launch_gateway(conf, popen_kwargs=QUIET)  # type: ignore[no-untyped-call]  # PySpark left it untyped
    try:
        yield Driver(jvm=gateway.jvm)
    finally:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(WAIT_SECONDS)


class HeldLines:
    """A java.util.Iterator of one line that waits in the middle: the writer has opened its file and not closed it."""

    def __init__(self, line: str) -> None:
        self.line: str | None = line
        self.opened = Event()
        self.may_go_on = Event()

    def hasNext(self) -> bool:  # noqa: N802 - Java's name
        self.opened.set()
        if not self.may_go_on.wait(WAIT_SECONDS):
            raise TimeoutError("the test never let this writer go on")
        return self.line is not None

    def next(self) -> str | None:
        line, self.line = self.line, None
        return line

    class Java:
        implements = ("java.util.Iterator",)


class FailingLines:
    """A java.util.Iterator that gives one line and then fails, as a commit does whose actions cannot be made."""

    def __init__(self) -> None:
        self.given = False

    def hasNext(self) -> bool:  # noqa: N802 - Java's name
        return True

    def next(self) -> str:
        if self.given:
            raise ValueError("no more actions")
        self.given = True
        return '{"first": "half"}'

    class Java:
        implements = ("java.util.Iterator",)


@contextmanager
def in_background(task: Callable[[], None]) -> Iterator["Future[None]"]:
    """Run a task in a thread that has ended when the block has."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(task)


def _elements(iterator: Any) -> Iterator[Any]:
    """Yield what a java.util.Iterator gives."""
    while iterator.hasNext():
        yield iterator.next()


def _class(jvm: Any, name: str) -> Any:
    for part in name.split("."):
        jvm = getattr(jvm, part)
    return jvm
