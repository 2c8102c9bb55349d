"""One Spark application as a value: everything its ConfigMap and driver Pod are built from."""

from dataclasses import dataclass
from datetime import timedelta

from lakehouse_api.run import RunSpec
from lakehouse_api.spark import Spark, SparkMode
from lakehouse_operator.core import names
from lakehouse_operator.core.config import SparkConfig
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.scene import Start

SPARK_VERSION = "4.2.0"
MAIN = "local:///opt/lakehouse/lakehouse_jobs/__main__.py"
CONF_DIR = "/opt/spark/conf"
TEMPLATE_DIR = "/opt/spark/pod-template"
RUN_DIR = "/etc/lakehouse/run"
CA_DIR = "/etc/lakehouse/ca"
LOCAL_DIR = "/var/data/spark-local"
DRIVER_PORT = 7078
BLOCK_PORT = 7079

OVERHEAD_FACTOR = 0.4
"""Share of the heap that a Python driver gets beside it, as Spark itself reckons for applications outside the JVM."""
OVERHEAD_FLOOR = 384 * 2**20
"""Bytes."""


@dataclass(frozen=True, kw_only=True)
class SecretEnv:
    """An environment variable whose value the kubelet takes from a Secret."""

    name: str
    secret: str
    key: str
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Application:
    """One attempt to run a job."""

    resource: Resource
    start: Start
    run: RunSpec
    spec_hash: str
    spark: Spark
    config: SparkConfig
    timeout: timedelta
    secrets: tuple[SecretEnv, ...]

    @property
    def image(self) -> str:
        """The image of driver and executors."""
        return self.spark.image or self.config.image

    @property
    def driver_account(self) -> str:
        """The service account of the driver."""
        return self.spark.service_account or self.config.driver_service_account

    @property
    def single(self) -> bool:
        """Whether the driver does the work alone; it then never speaks to the API server."""
        return self.spark.mode is SparkMode.SINGLE

    @property
    def labels(self) -> dict[str, str]:
        """The labels of everything that belongs to the attempt."""
        return names.run_labels(self.resource, of_run=self.run.id, attempt=self.start.attempt)
