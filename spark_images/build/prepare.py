# ruff: noqa: INP001  # scripts of the image's build, which nothing imports
"""Makes, inside the image, what depends on the jars that are there: the class path and the JVM's options.

Run once while the image is built, with SPARK_HOME set.
"""

import os
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

HOME = Path(os.environ["SPARK_HOME"])
MAIN = "org.apache.spark.deploy.SparkSubmit"
UNWANTED = ("--add-modules=jdk.incubator.vector",)  # for machine learning; it warns, and starting takes longer with it
LINE_BYTES = 70  # a manifest's line holds 72 bytes, with its end


def manifest(class_path: Iterable[str]) -> str:
    """Return a jar's manifest with a class path; lines that are too long go on after a space."""
    line = f"Class-Path: {' '.join(class_path)}"
    parts = [line[start : start + LINE_BYTES] for start in range(0, len(line), LINE_BYTES)]
    return "Manifest-Version: 1.0\r\n" + "\r\n ".join(parts) + "\r\n\r\n"


def write_class_path(target: Path, libraries: Path, resources: Path) -> None:
    """Write the one jar of the class path: it names all others in a fixed order, and holds the default configuration.

    Spark's class path is `jars/*`, which a JVM expands in the order of the directory, different on every file system.
    A class archive is good for one order only.
    """
    names = sorted(jar.name for jar in libraries.glob("*.jar"))
    with zipfile.ZipFile(target, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", manifest(f"{libraries.name}/{name}" for name in names))
        for resource in ("core-site.xml", "log4j2.properties"):
            jar.write(resources / resource, resource)


def jvm_options(class_path: Path) -> Iterator[str]:
    """Yield the options that this Spark version needs of a JVM (open modules and the like), as its launcher says."""
    command = ["java", "-cp", str(class_path), "org.apache.spark.launcher.Main", MAIN, "--class", "any", "any"]
    environment = os.environ | {"SPARK_SCALA_VERSION": "2.13"}  # else it looks for the directories of a build
    words = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\0")
    options = words[: words.index(MAIN)]
    yield from (word for word in options if word.startswith(("-XX:", "-D", "--")) and word not in UNWANTED)


def main() -> None:
    """Write jars/spark.jar and java-options."""
    target = HOME / "jars" / "spark.jar"
    write_class_path(target, HOME / "jars" / "lib", HOME / "conf")
    (HOME / "java-options").write_text("".join(f"{option}\n" for option in jvm_options(target)))


if __name__ == "__main__":
    main()
