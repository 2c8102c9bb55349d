"""The command lines of drivers and executors.

The JVM is started directly, not through Spark's launcher (a JVM of its own, half a second on a small pod), and with a
class path that begins as the class archive was made: an archive is good for one class path only.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from entrypoint import java_properties, trust
from entrypoint.errors import UnusableError

MAIN = "org.apache.spark.deploy.SparkSubmit"
BACKEND = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
DEFAULT_MEMORY = "1g"
SWITCHES = frozenset(
    {"--verbose", "-v", "--version", "--help", "-h", "--supervise", "--usage-error", "--load-spark-defaults"}
)
SHORT = {
    "--driver-memory": "spark.driver.memory",
    "--driver-java-options": "spark.driver.extraJavaOptions",
    "--driver-class-path": "spark.driver.extraClassPath",
    "--driver-library-path": "spark.driver.extraLibraryPath",
}


def command_line(arguments: Sequence[str], environment: dict[str, str]) -> list[str]:
    """Return the command to run; `environment` gains what it needs."""
    trusted = trust.trust_bundle(environment)
    match list(arguments):
        case ["driver", *rest]:
            return driver(rest, environment, trusted)
        case ["executor"]:
            return executor(environment, trusted)
        case ["executor", *rest]:
            raise UnusableError(
                f"executor takes no arguments, got {' '.join(rest)}; it is told all by SPARK_* variables"
            )
        case []:
            raise UnusableError("nothing to do; give `driver <arguments of spark-submit>`, `executor` or a command")
        case command:
            return command


def driver(arguments: Sequence[str], environment: Mapping[str, str], trusted: Sequence[str]) -> list[str]:
    """Return the command line of spark-submit in client mode, in this pod."""
    conf = settings(arguments)
    bind = environment.get("SPARK_DRIVER_BIND_ADDRESS")
    own = ["--conf", f"spark.driver.bindAddress={bind}"] if bind else []
    jvm = [
        *image_options(environment),
        *compiler(environment),
        *trusted,
        f"-Xmx{conf.get('spark.driver.memory', DEFAULT_MEMORY)}",
        *library_path(conf),
        *words(conf.get("spark.driver.defaultJavaOptions", "")),
        *words(conf.get("spark.driver.extraJavaOptions", "")),
    ]
    class_path = join_class_path(conf.get("spark.driver.extraClassPath"), environment)
    return [*java(environment), "-cp", class_path, *jvm, MAIN, *own, "--deploy-mode", "client", *arguments]


def executor(environment: Mapping[str, str], trusted: Sequence[str]) -> list[str]:
    """Return the command line of an executor that the driver has described in the environment."""
    memory = required(environment, "SPARK_EXECUTOR_MEMORY")
    jvm = [*archive(environment), *trusted, f"-Xms{memory}", f"-Xmx{memory}", *executor_options(environment)]
    told = {
        "--driver-url": "SPARK_DRIVER_URL",
        "--executor-id": "SPARK_EXECUTOR_ID",
        "--cores": "SPARK_EXECUTOR_CORES",
        "--app-id": "SPARK_APPLICATION_ID",
        "--hostname": "SPARK_EXECUTOR_POD_IP",
        "--resourceProfileId": "SPARK_RESOURCE_PROFILE_ID",
        "--podName": "SPARK_EXECUTOR_POD_NAME",
    }
    options = [word for flag, name in told.items() for word in (flag, required(environment, name))]
    class_path = join_class_path(environment.get("SPARK_CLASSPATH"), environment)
    return [*java(environment), "-cp", class_path, *jvm, BACKEND, *options]


def java(environment: Mapping[str, str]) -> list[str]:
    """Return the JVM to start."""
    home = environment.get("JAVA_HOME")
    return [f"{home}/bin/java" if home else "java"]


def spark_home(environment: Mapping[str, str]) -> Path:
    """Return where Spark is installed."""
    return Path(environment.get("SPARK_HOME", "/opt/spark"))


def join_class_path(extra: str | None, environment: Mapping[str, str]) -> str:
    """Return the class path: what the user puts first (which costs the class archive), Spark, its configuration."""
    configuration = environment.get("SPARK_CONF_DIR", str(spark_home(environment) / "conf"))
    parts = [extra, str(spark_home(environment) / "jars" / "spark.jar"), configuration]
    return ":".join(part for part in parts if part)


def image_options(environment: Mapping[str, str]) -> list[str]:
    """Return the options every driver of this image gets."""
    file = spark_home(environment) / "java-options"
    return [*archive(environment), *file.read_text().splitlines(), *own_logging(environment)]


def archive(environment: Mapping[str, str]) -> list[str]:
    """Return the options that map the class archive; a JVM that cannot use it goes on without, silently."""
    file = spark_home(environment) / "spark.jsa"
    return [f"-XX:SharedArchiveFile={file}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"] if file.exists() else []


def own_logging(environment: Mapping[str, str]) -> list[str]:
    """Return the option for a log4j2.properties that was mounted; the image's own comes first on the class path."""
    file = Path(environment.get("SPARK_CONF_DIR", "")) / "log4j2.properties"
    return [f"-Dlog4j2.configurationFile={file}"] if file.is_file() else []


def compiler(environment: Mapping[str, str]) -> list[str]:
    """Return the options of the just-in-time compiler.

    A driver that does all the work alone lives for seconds: the second compiler would take its core for code that is
    never used. `spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=4` gives it back to a long one.
    """
    return ["-XX:TieredStopAtLevel=1"] if environment.get("LAKEHOUSE_SPARK_MODE") == "Single" else []


def library_path(conf: Mapping[str, str]) -> list[str]:
    """Return the option for native libraries, if there are any."""
    path = conf.get("spark.driver.extraLibraryPath")
    return [f"-Djava.library.path={path}"] if path else []


def executor_options(environment: Mapping[str, str]) -> list[str]:
    """Return the options that the driver numbers SPARK_JAVA_OPT_0, SPARK_JAVA_OPT_1, ..."""
    numbered = {
        int(name[15:]): value for name, value in environment.items() if re.fullmatch(r"SPARK_JAVA_OPT_\d+", name)
    }
    return [numbered[number] for number in sorted(numbered)]


def required(environment: Mapping[str, str], name: str) -> str:
    """Return a variable; raise UnusableError without it."""
    if name not in environment:
        raise UnusableError(f"executor: the variable {name} is missing; executors are started by a driver, not by hand")
    return environment[name]


def settings(arguments: Sequence[str]) -> dict[str, str]:
    """Return the configuration among spark-submit's arguments, as far as the JVM must know it before it starts."""
    given = list(options(arguments))
    found: dict[str, str] = {}
    for flag, value in given:
        if flag == "--properties-file":
            found.update(java_properties.read(Path(value)))
    for flag, value in given:
        key, _, text = value.partition("=") if flag == "--conf" else (SHORT.get(flag, ""), "", value)
        found[key] = text
    return found


def options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield spark-submit's options with their values; what follows the application's file is the application's own."""
    rest = iter(arguments)
    for word in rest:
        if not word.startswith("-"):
            return
        flag, equals, value = word.partition("=")
        if flag not in SWITCHES:
            yield flag, value if equals else next(rest, "")


def words(options: str) -> list[str]:
    """Split JVM options as Spark does: at spaces outside of quotes."""
    return shlex.split(options)
