"""The command lines that the image's entry makes of a pod's arguments and environment."""

from pathlib import Path

import pytest

from entrypoint.command import command_line
from entrypoint.errors import UnusableError

EXECUTOR = {
    "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@10.0.0.7:7078",
    "SPARK_EXECUTOR_ID": "1",
    "SPARK_EXECUTOR_CORES": "2",
    "SPARK_EXECUTOR_MEMORY": "1024m",
    "SPARK_APPLICATION_ID": "ing-crm-1",
    "SPARK_EXECUTOR_POD_IP": "10.0.0.9",
    "SPARK_RESOURCE_PROFILE_ID": "0",
    "SPARK_EXECUTOR_POD_NAME": "ing-crm-1-exec-1",
}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return the environment of an image without a class archive."""
    (tmp_path / "java-options").write_text(
        "-XX:+IgnoreUnrecognizedVMOptions\n--add-opens=java.base/java.io=ALL-UNNAMED\n"
    )
    return {"SPARK_HOME": str(tmp_path)}


def write_properties(home: dict[str, str], *lines: str) -> str:
    file = Path(home["SPARK_HOME"]) / "spark.properties"
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file)


def split_at_main(command: list[str]) -> tuple[list[str], list[str]]:
    """Return what the JVM is given and what Spark is given."""
    main = next(i for i, word in enumerate(command) if word.startswith("org.apache.spark."))
    return command[:main], command[main:]


def test_a_driver_is_spark_submit_in_client_mode_with_all_its_arguments(home: dict[str, str]) -> None:
    file = write_properties(home, "spark.driver.memory=512m")
    arguments = ["--properties-file", file, "local:///opt/lakehouse/main.py", "run.json"]
    jvm, spark = split_at_main(command_line(["driver", *arguments], home | {"SPARK_DRIVER_BIND_ADDRESS": "10.0.0.7"}))
    bound = ["--conf", "spark.driver.bindAddress=10.0.0.7"]
    assert spark == ["org.apache.spark.deploy.SparkSubmit", *bound, "--deploy-mode", "client", *arguments]
    assert jvm == [
        "java",
        "-cp",
        f"{home['SPARK_HOME']}/jars/spark.jar:{home['SPARK_HOME']}/conf",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "--add-opens=java.base/java.io=ALL-UNNAMED",
        "-Xmx512m",
    ]


def test_a_driver_takes_from_its_configuration_what_the_jvm_must_know_before_it_starts(home: dict[str, str]) -> None:
    file = write_properties(
        home,
        "spark.driver.memory = 2g",
        "spark.driver.defaultJavaOptions -Da=1",
        'spark.driver.extraJavaOptions=-Db="two words" -XX:+UseSerialGC',
        "spark.driver.extraLibraryPath=/native",
    )
    jvm, _ = split_at_main(command_line(["driver", "--properties-file", file, "main.py"], home))
    assert jvm[-5:] == ["-Xmx2g", "-Djava.library.path=/native", "-Da=1", "-Db=two words", "-XX:+UseSerialGC"]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--conf", "spark.driver.memory=3g"], id="as --conf key=value"),
        pytest.param(["--conf=spark.driver.memory=3g"], id="as --conf=key=value"),
        pytest.param(["--driver-memory", "3g"], id="by its short option"),
        pytest.param(["--verbose", "--driver-memory", "3g"], id="after a switch without a value"),
    ],
)
def test_an_option_outranks_the_properties_file(home: dict[str, str], arguments: list[str]) -> None:
    file = write_properties(home, "spark.driver.memory=2g")
    command = command_line(["driver", *arguments, "--properties-file", file, "main.py"], home)
    assert "-Xmx3g" in command


def test_options_of_the_application_are_not_spark_s(home: dict[str, str]) -> None:
    command = command_line(["driver", "main.py", "--conf", "spark.driver.memory=9g"], home)
    assert "-Xmx1g" in command


def test_a_class_path_of_the_user_comes_first(home: dict[str, str]) -> None:
    command = command_line(["driver", "--driver-class-path", "/jars/driver.jar", "main.py"], home)
    assert command[2].startswith("/jars/driver.jar:")


def test_a_driver_that_works_alone_has_the_first_compiler_only_and_may_ask_for_the_second(home: dict[str, str]) -> None:
    single = home | {"LAKEHOUSE_SPARK_MODE": "Single"}
    wish = "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=4"
    levels = [
        [word for word in command_line(arguments, environment) if word.startswith("-XX:TieredStop")]
        for arguments, environment in (
            (["driver", "main.py"], home),
            (["driver", "main.py"], single),
            (["driver", "--conf", wish, "main.py"], single),
        )
    ]
    assert levels == [
        [],
        ["-XX:TieredStopAtLevel=1"],
        ["-XX:TieredStopAtLevel=1", "-XX:TieredStopAtLevel=4"],  # a JVM obeys the last one
    ]


def test_the_class_archive_is_mapped_if_the_image_has_one(home: dict[str, str]) -> None:
    archive = Path(home["SPARK_HOME"]) / "spark.jsa"
    archive.touch()
    for arguments in (["driver", "main.py"], ["executor"]):
        assert f"-XX:SharedArchiveFile={archive}" in command_line(arguments, home | EXECUTOR)


def test_logging_that_was_mounted_replaces_the_image_s(home: dict[str, str]) -> None:
    file = Path(home["SPARK_HOME"]) / "log4j2.properties"
    file.touch()
    environment = home | {"SPARK_CONF_DIR": home["SPARK_HOME"]}
    assert f"-Dlog4j2.configurationFile={file}" in command_line(["driver", "main.py"], environment)


def test_an_executor_is_what_its_driver_described_with_its_options_in_their_order(home: dict[str, str]) -> None:
    numbered = {f"SPARK_JAVA_OPT_{n}": f"-Dn={n}" for n in (10, 2, 0)} | {"SPARK_JAVA_OPT_X": "-Dnone"}
    environment = home | EXECUTOR | numbered | {"SPARK_CLASSPATH": "/extra.jar", "JAVA_HOME": "/jdk"}
    jvm, spark = split_at_main(command_line(["executor"], environment))
    paths = f"/extra.jar:{home['SPARK_HOME']}/jars/spark.jar:{home['SPARK_HOME']}/conf"
    assert jvm == ["/jdk/bin/java", "-cp", paths, "-Xms1024m", "-Xmx1024m", "-Dn=0", "-Dn=2", "-Dn=10"]
    assert spark[0].endswith("KubernetesExecutorBackend")
    assert dict(zip(spark[1::2], spark[2::2], strict=True)) == {
        "--driver-url": EXECUTOR["SPARK_DRIVER_URL"],
        "--executor-id": "1",
        "--cores": "2",
        "--app-id": "ing-crm-1",
        "--hostname": "10.0.0.9",
        "--resourceProfileId": "0",
        "--podName": "ing-crm-1-exec-1",
    }


def test_any_other_command_is_run_as_it_is(home: dict[str, str]) -> None:
    assert command_line(["spark-sql", "-e", "SELECT 1"], home) == ["spark-sql", "-e", "SELECT 1"]


@pytest.mark.parametrize(
    ("arguments", "missing", "said"),
    [
        pytest.param([], "", "nothing to do", id="no arguments"),
        pytest.param(["executor", "now"], "", "executor takes no arguments, got now", id="arguments of an executor"),
        pytest.param(
            ["executor"], "SPARK_DRIVER_URL", "SPARK_DRIVER_URL is missing", id="an executor without a driver"
        ),
        pytest.param(
            ["driver", "--properties-file", "/absent/spark.properties", "main.py"],
            "",
            "/absent/spark.properties: .* mount the run's ConfigMap there",
            id="a properties file that is not there",
        ),
    ],
)
def test_a_pod_that_cannot_work_is_told_why(
    home: dict[str, str], arguments: list[str], missing: str, said: str
) -> None:
    environment = home | EXECUTOR
    environment.pop(missing, None)
    with pytest.raises(UnusableError, match=said):
        command_line(arguments, environment)
