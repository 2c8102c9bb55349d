"""Objects beside Spark's tables: listing, reading, and creating one only if it does not exist yet.

All goes through Hadoop's file systems, so that a job has one way to reach a store and one set of credentials.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

CONDITIONAL_CREATE: Final = "fs.option.create.conditional.overwrite"
_YES: Final = True  # Java has no keyword arguments
_NO: Final = False


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One object of a listing; `modified` counts milliseconds since 1970."""

    uri: str
    size: int
    modified: int
    etag: str


def to_hadoop(uri: str) -> str:
    """Give the name under which Hadoop knows a URI: users write s3, S3A serves it."""
    return f"s3a://{uri[5:]}" if uri.startswith("s3://") else uri


def from_hadoop(uri: str) -> str:
    """Give the name users know."""
    return f"s3://{uri[6:]}" if uri.startswith("s3a://") else uri


def folder(uri: str) -> str:
    """Give the URI without slashes at its end, ready to have `/name` appended."""
    return uri.rstrip("/")


class Storage:
    """The object stores of a run."""

    def __init__(self, spark: SparkSession) -> None:
        self._jvm: Any = spark._jvm  # noqa: SLF001 (Hadoop has no public door in PySpark)
        self._conf: Any = spark._jsc.hadoopConfiguration()  # noqa: SLF001 (the same)

    def list(self, uri: str) -> Iterator[Stored]:
        """List all objects below a folder; a folder that does not exist is an empty one."""
        path = self._path(f"{folder(uri)}/")
        try:
            found = path.getFileSystem(self._conf).listFiles(path, _YES)
            while found.hasNext():
                yield _stored(found.next())
        except Py4JJavaError as error:
            if not _absent(error):
                raise

    def read(self, uri: str) -> str | None:
        """Read a whole object as UTF-8, or give None when there is none."""
        data = self.head(uri, limit=None)
        return None if data is None else data.decode()

    def head(self, uri: str, *, limit: int | None) -> bytes | None:
        """Read the first bytes of an object, uncompressed where its name ends like a compressed file's."""
        try:
            stream = self._open(self._path(uri))
        except Py4JJavaError as error:
            if _absent(error):
                return None
            raise
        return _taken(stream, limit)

    def first_bytes(self, uri: str, count: int) -> bytes:
        """Read the first bytes of an object as they are stored."""
        path = self._path(uri)
        return _taken(path.getFileSystem(self._conf).open(path), count)

    def create(self, uri: str, text: str) -> str:
        """Create an object unless it exists, and return what the store holds afterwards: the winner's text.

        An upload that succeeded while its answer was lost meets itself and finds the same text.
        """
        path = self._path(uri)
        builder = path.getFileSystem(self._conf).createFile(path).overwrite(_YES).recursive()
        builder.must(CONDITIONAL_CREATE, _YES)
        try:
            _send(builder.build(), text)
        except Py4JJavaError:
            winner = self.read(uri)
            if winner is None:
                raise
            return winner
        return text

    def replace(self, uri: str, text: str) -> None:
        """Write an object whether or not it exists."""
        path = self._path(uri)
        _send(path.getFileSystem(self._conf).create(path, _YES), text)

    def upload(self, uri: str, file: Path) -> None:
        """Write a local file to an object, whether or not that exists."""
        path = self._path(uri)
        source = self._jvm.org.apache.hadoop.fs.Path(file.absolute().as_uri())
        path.getFileSystem(self._conf).copyFromLocalFile(_NO, _YES, source, path)

    def remove(self, uri: str) -> None:
        """Delete an object, or all objects below a folder; what does not exist is deleted already."""
        path = self._path(uri)
        path.getFileSystem(self._conf).delete(path, _YES)

    def _open(self, path: Any) -> Any:
        # what Spark's readers do: Hadoop alone cannot read Zstandard without its native library
        return self._jvm.org.apache.spark.io.HadoopCodecStreams.createInputStream(self._conf, path)

    def _path(self, uri: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(to_hadoop(uri))


def _taken(stream: Any, limit: int | None) -> bytes:
    try:
        return bytes(stream.readAllBytes() if limit is None else stream.readNBytes(limit))
    finally:
        stream.close()


def _absent(error: Py4JJavaError) -> bool:
    return bool(error.java_exception.getClass().getName() == "java.io.FileNotFoundException")


def _stored(status: Any) -> Stored:
    return Stored(
        uri=from_hadoop(status.getPath().toString()),
        size=status.getLen(),
        modified=status.getModificationTime(),
        etag=(status.getEtag() or "").strip('"'),
    )


def _send(stream: Any, text: str) -> None:
    stream.write(text.encode())
    stream.close()
