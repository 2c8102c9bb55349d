"""The image does what it promises, as the least a pod may be: no root, nothing writable, one file of configuration."""

import pytest

from lakehouse_dev.spark_image import AWS_SERVICES, spark_image
from tests.spark.image.conftest import BUCKET, Box, archived_classes

pytestmark = pytest.mark.spark


def test_all_that_is_promised_works_with_the_jars_that_are_left(box: Box, image_store: object) -> None:
    done = box.run(
        "driver",
        "--properties-file",
        box.properties(box.store.endpoint),
        "/test/job_everything.py",
        f"s3://{BUCKET}/all",
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    promised = ["delta", "files", "sql", "python_functions", "jdbc", "kafka", "kubernetes"]
    assert [line for line in done.stdout.splitlines() if line.startswith("works")] == [f"works: {n}" for n in promised]


def test_a_driver_takes_its_classes_from_the_archive(box: Box) -> None:
    file = box.properties(box.store.endpoint, **{"spark.driver.extraJavaOptions": "-Xlog:class+load:stderr"})
    done = box.run("driver", "--properties-file", file, "/test/job_commit.py", f"s3://{BUCKET}/archive")
    assert done.returncode == 0, done.stderr[-4000:]
    archived, loaded = archived_classes(done.stderr + done.stdout)
    assert archived > 10 * loaded, f"{archived} classes from the archive, {loaded} from jars"


def test_a_store_with_a_private_authority_is_reached_with_its_bundle_only(box: Box, tls_endpoint: str) -> None:
    arguments = ("driver", "--properties-file", box.properties(tls_endpoint), "/test/job_commit.py")
    trusting = box.run(*arguments, f"s3://{BUCKET}/tls", environment={"LAKEHOUSE_CA_BUNDLE": "/test/ca.crt"})
    assert trusting.returncode == 0, trusting.stderr[-4000:]
    assert "count: 10" in trusting.stdout
    doubting = box.run(*arguments, f"s3://{BUCKET}/no-tls")
    assert doubting.returncode == 1
    assert "unable to find valid certification path" in doubting.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        pytest.param([], {}, "nothing to do; give `driver", id="no arguments"),
        pytest.param(["executor"], {}, "the variable SPARK_EXECUTOR_MEMORY is missing", id="an executor by hand"),
        pytest.param(["driver", "x"], {"LAKEHOUSE_CA_BUNDLE": "/none"}, "LAKEHOUSE_CA_BUNDLE=/none", id="no bundle"),
        pytest.param(
            ["driver", "--properties-file", "/none", "x"], {}, "mount the run's ConfigMap", id="no properties"
        ),
    ],
)
def test_a_pod_that_cannot_work_ends_with_64_and_says_why(
    box: Box, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    done = box.run(*arguments, environment=environment)
    assert done.returncode == 64
    assert done.stderr.startswith("entrypoint: ")
    assert said in done.stderr


def test_the_exit_code_of_a_job_is_the_pod_s(box: Box) -> None:
    (box.directory / "job_exit.py").write_text("import sys; sys.exit(75)")
    done = box.run("driver", "--properties-file", box.properties(box.store.endpoint), "/test/job_exit.py")
    assert done.returncode == 75


def test_any_other_command_is_run(box: Box) -> None:
    done = box.run("python", "-c", "import lakehouse_jobs, os; print(os.getuid())")
    assert (done.returncode, done.stdout.strip()) == (0, "185"), done.stderr


def test_every_service_of_aws_that_jobs_ask_is_known(box: Box) -> None:
    make = "print(client(name, region='eu-central-1', endpoint=None).meta.service_model.service_name)"
    program = f"from lakehouse_jobs.aws.clients import client\nfor name in {AWS_SERVICES}: {make}"
    done = box.run("python", "-c", program)
    assert (done.returncode, done.stdout.split()) == (0, list(AWS_SERVICES)), done.stderr


def test_an_unknown_command_is_named(box: Box) -> None:
    done = box.run("drvier")
    assert (done.returncode, done.stderr) == (
        127,
        "entrypoint: no program drvier; give `driver`, `executor` or a program of the image\n",
    )


def test_the_image_is_small_enough(box: Box) -> None:
    archive = sum(path.stat().st_size for layer in box.inside.layers for path in layer.glob("opt/spark/spark.jsa"))
    assert archive > 0
    assert (spark_image().size() - archive) / 1e9 < 1.2
