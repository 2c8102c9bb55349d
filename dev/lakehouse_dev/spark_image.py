"""The Spark image: lays its build context out in the cache and builds it, only what changed.

The parts are layers in the order in which they change: base, jars, Python packages, class archive, and last our jobs.
"""

import fnmatch
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lakehouse_dev import base_images, paths, s3
from lakehouse_dev.contexts import Context
from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image
from lakehouse_dev.locks import exclusive
from lakehouse_dev.progress import say
from lakehouse_dev.spark_jars import job_jars

SOURCES = paths.REPOSITORY / "spark_images"
NAME = "lakehouse-spark"
UNUSED_PYTHON = ("bin", "data", "examples", "jars", "licenses", "ml", "mllib", "pandas", "python", "sbin")
"""Parts of the package `pyspark` that no job imports, or that the image has elsewhere."""

AWS_SERVICES = ("glue", "secretsmanager", "sts")
"""Services that jobs ask. The package `botocore` describes 400, in nearly all of its 30 MB."""


def spark_image() -> Image:
    """Return the Spark image, built if any of its parts has changed."""
    return build_image(
        NAME,
        dockerfile=SOURCES / "Dockerfile",
        context=context(),
        build_args={"BASE_IMAGE": base_images.base_image(base_images.SPARK).name},
        usual_duration="seconds if only the jobs changed, else about 3 min, of which 1 is for the class archive",
    )


def context() -> Context:
    """Return every file of the image by its place in the build context."""
    packages = python_packages("jobs")
    pyspark, botocore = packages / "pyspark", packages / "botocore"
    described = [path for path in (botocore / "data").iterdir() if path.is_file() or path.name in AWS_SERVICES]
    return {
        **{f"lib/{jar.name}": jar for jar in used_jars(pyspark / "jars")},
        **{f"lib/{jar.name}": jar for jar in sorted(job_jars().glob("*.jar"))},
        "drivers": job_jars() / "drivers",
        **{f"python/{path.name}": path for path in _without(packages, ("bin", "botocore", "pyspark"))},
        **{f"python/botocore/{path.name}": path for path in _without(botocore, ("data",))},
        **{f"python/botocore/data/{path.name}": path for path in sorted(described)},
        **{f"python/pyspark/{path.name}": path for path in _without(pyspark, UNUSED_PYTHON)},
        **{f"bin/{path.name}": path for path in (pyspark / "bin").iterdir() if path.suffix != ".cmd"},
        **{part: SOURCES / part for part in ("build", "conf", "entrypoint")},
        "licenses": pyspark / "licenses",
        "training/weed": s3.weed(),
        "lakehouse/lakehouse_api": paths.REPOSITORY / "operator" / "lakehouse_api",
        "lakehouse/lakehouse_jobs": SOURCES / "lakehouse_jobs",
    }


def used_jars(directory: Path) -> Iterator[Path]:
    """Yield PySpark's jars that the image keeps."""
    unused = unused_jars()
    for jar in sorted(directory.glob("*.jar")):
        if not any(fnmatch.fnmatchcase(jar.name, pattern) for pattern in unused):
            yield jar


def unused_jars() -> list[str]:
    """Return the globs of the jars that the image leaves out."""
    lines = (line.partition("#")[0].strip() for line in (SOURCES / "jars" / "unused.txt").read_text().splitlines())
    return [line for line in lines if line]


def python_packages(group: str | None) -> Path:
    """Return a directory with the locked packages of a dependency group (None: those of the project itself)."""
    requirements = _export(group)
    name = f"{group or 'project'}-{hashlib.sha256(requirements.encode()).hexdigest()[:12]}"
    target = paths.cache_file("python-packages", name)
    with exclusive(target.with_suffix(".lock"), what=f"Python packages ({name})"):
        if not target.exists():
            say(f"Python packages ({group or 'project'}): installing by the lock file (up to 3 min, once)")
            _install(requirements, target)
    return target


def _export(group: str | None) -> str:
    choice = ["--only-group", group] if group else ["--no-default-groups", "--no-emit-project"]
    return _uv("export", "--frozen", "--quiet", "--no-header", "--no-annotate", *choice)


def _install(requirements: str, target: Path) -> None:
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    file = target.with_suffix(".txt")
    file.write_text(requirements)
    _uv("pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(unfinished), "-r", str(file))
    unfinished.rename(target)


def _uv(*arguments: str) -> str:
    command = ["uv", *arguments]
    done = subprocess.run(command, cwd=paths.REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"`{' '.join(command)}` failed (exit {done.returncode}):\n{done.stderr[-2000:]}")
    return done.stdout


def _without(directory: Path, names: tuple[str, ...]) -> Iterator[Path]:
    return (path for path in sorted(directory.iterdir()) if path.name not in names and not path.name.startswith("."))
