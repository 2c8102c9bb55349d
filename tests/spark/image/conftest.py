"""The Spark image as files of a sandbox: uid 185, a read-only root, the machine's loopback."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakehouse_dev.certificates import Authority
from lakehouse_dev.s3 import S3, start_s3
from lakehouse_dev.sandbox import Sandbox, sandbox
from lakehouse_dev.spark_image import spark_image
from tests.spark.image.tls import tls_proxy

HERE = Path(__file__).parent
BUCKET = "image"
ENVIRONMENT = {
    "PATH": "/opt/spark/bin:/usr/local/bin:/usr/bin:/bin",
    "SPARK_HOME": "/opt/spark",
    "PYTHONPATH": "/opt/spark/python:/opt/lakehouse",
    "PYSPARK_PYTHON": "/usr/bin/python3",
    "LANG": "C.UTF-8",
    "SPARK_LOCAL_IP": "127.0.0.1",
    "LAKEHOUSE_SPARK_MODE": "Single",
}
ENTRY = ("/usr/bin/tini", "-s", "--", "/usr/bin/python3", "-P", "-m", "entrypoint")


@dataclass(frozen=True, kw_only=True)
class Box:
    """The image, and a directory of the test that it sees as /test."""

    inside: Sandbox
    directory: Path
    store: S3

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run the image's entry."""
        keys = {"LAKE_ACCESS_KEY_ID": self.store.access_key, "LAKE_SECRET_ACCESS_KEY": self.store.secret_key}
        variables = {**ENVIRONMENT, **keys, **(environment or {})}
        command = self.inside.command([*ENTRY, *arguments], variables)
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def properties(self, endpoint: str, **more: str) -> str:
        """Write a properties file as the operator does for a driver that works alone; returns its place inside."""
        conf = {
            "spark.master": "k8s://https://kubernetes.default.svc",
            "spark.kubernetes.driver.master": "local[2]",
            "spark.kubernetes.submitInDriver": "true",
            "spark.kubernetes.driver.pod.name": "test",
            "spark.kubernetes.container.image": "none",
            "spark.app.id": "test",
            "spark.driver.memory": "1g",
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            "spark.delta.logStore.s3.impl": "dev.lakehouse.spark.S3ConditionalLogStore",
            "spark.databricks.delta.snapshotPartitions": "2",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.sources.parallelPartitionDiscovery.parallelism": "32",
            "spark.ui.enabled": "false",
            "spark.hadoop.fs.s3a.endpoint": endpoint,
            "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.attempts.maximum": "1",
            "spark.hadoop.fs.s3a.retry.limit": "1",
            "spark.hadoop.fs.s3a.aws.credentials.provider": "dev.lakehouse.spark.EnvironmentCredentials",
            "spark.hadoop.fs.s3a.lakehouse.credentials.prefix": "LAKE",
            **more,
        }
        (self.directory / "spark.properties").write_text("".join(f"{key}={value}\n" for key, value in conf.items()))
        return "/test/spark.properties"


@pytest.fixture(scope="session")
def image_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with start_s3(tmp_path_factory.mktemp("s3")) as server:
        server.client().create_bucket(Bucket=BUCKET)
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return a certificate authority that nobody trusts."""
    return Authority.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def tls_endpoint(image_store: S3, authority: Authority) -> Iterator[str]:
    """Return the store's endpoint behind TLS, its certificate signed by that authority."""
    pair = authority.server("s3", names=["127.0.0.1", "localhost"])
    with tls_proxy(image_store.listen.s3_port, pair) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.fixture
def box(image_store: S3, authority: Authority, tmp_path: Path) -> Box:
    for part in [tmp_path, *tmp_path.parents][:3]:
        part.chmod(0o755)  # the image's user is another
    for job in HERE.glob("job_*.py"):
        (tmp_path / job.name).write_bytes(job.read_bytes())
    (tmp_path / "ca.crt").write_bytes(authority.path.read_bytes())
    return Box(
        inside=sandbox(spark_image(), mounts={"/test": tmp_path}),
        directory=tmp_path,
        store=image_store,
    )


def archived_classes(log: str) -> tuple[int, int]:
    """Count the classes that a JVM's class loading log says came from our archive, and from jars."""
    return len(re.findall(r"source: shared objects file \(top\)", log)), len(
        re.findall(r"source: file:/opt/spark", log)
    )
