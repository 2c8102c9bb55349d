"""The two ways to run the job: our image as the operator starts it, and the stock image as guides start it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse_dev import paths, s3
from lakehouse_dev.image_store import Image
from lakehouse_dev.spark_image import spark_image
from tests.bench.stock import stock_image

JOB, PROPERTIES = "/bench/job.py", "/bench/spark.properties"
BUCKET = "bench"
SIZE = {"spark.driver.memory": "1g"}


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The S3 that the job writes to."""

    endpoint: str


@dataclass(frozen=True, kw_only=True)
class Variant:
    """An image, the configuration it is given, and how its driver is started."""

    name: str
    image: Image
    start: Sequence[str]
    conf: Mapping[str, str]
    environment: Mapping[str, str]

    def properties(self, storage: Storage) -> str:
        """Return the properties file of the job."""
        conf = {**SIZE, **self.conf, **reach(storage)}
        return "".join(f"{key}={value}\n" for key, value in conf.items())

    def arguments(self, table: str) -> list[str]:
        """Return what its driver is given to write a table."""
        return ["--properties-file", PROPERTIES, JOB, f"s3a://{BUCKET}/{table}"]

    def variables(self) -> dict[str, str]:
        """Return the environment of its driver."""
        keys = {"AWS_ACCESS_KEY_ID": s3.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY}
        return {"PYSPARK_PYTHON": "/usr/bin/python3", **keys, **self.environment}


def variants(cores: int) -> tuple[Variant, Variant]:
    """Return ours and the peer."""
    ours = Variant(
        name="ours",
        image=spark_image(),
        start=("/usr/bin/tini", "-s", "--", "/usr/bin/python3", "-P", "-m", "entrypoint", "driver"),
        conf=own_conf(cores),
        environment={"LAKEHOUSE_SPARK_MODE": "Single", "SPARK_HOME": "/opt/spark", "PYTHONPATH": "/opt/spark/python"},
    )
    peer = Variant(
        name="peer",
        image=stock_image(),
        start=("/usr/bin/tini", "-s", "--", "/opt/python/pyspark/bin/spark-submit"),
        conf={"spark.master": f"local[{cores}]", **DELTA},
        environment={"SPARK_HOME": "/opt/python/pyspark", "PYTHONPATH": "/opt/python"},
    )
    return ours, peer


DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}


def own_conf(cores: int) -> dict[str, str]:
    """Return the image's defaults, and what the operator adds for a driver that works alone."""
    lines = (paths.REPOSITORY / "spark_images" / "conf" / "spark-defaults.conf").read_text().splitlines()
    defaults = dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))
    return {
        **defaults,
        "spark.master": "k8s://https://kubernetes.default.svc",
        "spark.kubernetes.driver.master": f"local[{cores}]",
        "spark.kubernetes.submitInDriver": "true",
        "spark.kubernetes.driver.pod.name": "cold-start",
        "spark.kubernetes.namespace": "bench",
        "spark.kubernetes.container.image": "none",
        "spark.app.id": "cold-start",
    }


def reach(storage: Storage) -> dict[str, str]:
    """Return how S3A gets at the store, the same for both."""
    return {
        "spark.hadoop.fs.s3a.endpoint": storage.endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": s3.REGION,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.aws.credentials.provider": (
            "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider"
        ),
    }
