"""The jars that jobs need beside those of PySpark: Delta, S3A, Kafka, JDBC drivers and our own, by Maven."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lakehouse_dev.errors import DevError
from lakehouse_dev.locks import exclusive
from lakehouse_dev.paths import REPOSITORY, cache_file
from lakehouse_dev.progress import say

SOURCES = REPOSITORY / "spark_images"
DEPENDENCIES = SOURCES / "jars" / "pom.xml"
JAVA = SOURCES / "java"
OUTPUT_TAIL = 4000


def job_jars() -> Path:
    """Return the directory of the jars that the Spark image adds to PySpark's own."""
    sources = [DEPENDENCIES, JAVA / "pom.xml", *sorted((JAVA / "src" / "main").rglob("*.java"))]
    return _cached("jobs", sources, _build_job_jars)


def stock_jars() -> Path:
    """Return the jars of the usual set-up (the whole AWS SDK in one bundle), which benchmarks compare with."""
    return _cached("stock", [DEPENDENCIES], _build_stock_jars)


def digest(files: Iterable[Path]) -> str:
    """Return a short hash of the names and contents of files inside the repository."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(REPOSITORY)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


def _cached(name: str, sources: Sequence[Path], build: Callable[[Path], None]) -> Path:
    target = cache_file("spark-jars", f"{name}-{digest(sources)}")
    with exclusive(target.with_suffix(".lock"), what=f"jars ({name})"):
        if not target.exists():
            unfinished = target.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            build(unfinished)
            unfinished.rename(target)
    return target


def _build_job_jars(target: Path) -> None:
    say(
        "Spark jars: downloading Delta, S3A, Kafka and JDBC drivers from Maven Central (140 MB, about 40 s), compiling "
        "our own Java"
    )
    maven("--file", str(DEPENDENCIES), "package", f"-Djars.directory={target}")
    classes = target / "build"
    maven("--file", str(JAVA / "pom.xml"), "package", "-DskipTests", f"-DbuildDirectory={classes}")
    shutil.move(classes / "lakehouse-spark.jar", target / "lakehouse-spark.jar")
    shutil.rmtree(classes)


def _build_stock_jars(target: Path) -> None:
    say("Stock jars: downloading Delta and S3A with the AWS SDK bundle from Maven Central (700 MB, about 2 min)")
    maven("--file", str(DEPENDENCIES), "package", "-Dstock", f"-Djars.directory={target}")


def maven(*arguments: str) -> None:
    """Run Maven; raise DevError with what it said when it fails."""
    if shutil.which("mvn") is None:
        raise DevError(
            "Maven is missing; install it with a JDK 17 (Debian: apt-get install maven openjdk-17-jdk-headless)"
        )
    command = ["mvn", "--quiet", "--batch-mode", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-OUTPUT_TAIL:]}")
