"""The Spark configuration of a run, and which part of it users may not touch.

Nothing here is secret: the properties lie in a ConfigMap and show in the Spark UI.
"""

import re
from collections.abc import Mapping

from lakehouse_api.quantities import parse_quantity
from lakehouse_operator.core import names
from lakehouse_operator.core.application import (
    BLOCK_PORT,
    DRIVER_PORT,
    LOCAL_DIR,
    OVERHEAD_FACTOR,
    TEMPLATE_DIR,
    Application,
)

RESERVED = re.compile(
    r"^spark\.(master|app\.|submit\.|kubernetes\.|authenticate|io\.encryption|network\.crypto|executor\.instances"
    r"|(driver|executor)\.(cores|memory|host|port|bindAddress|blockManager)|local\.dir|delta\.logStore"
    r"|hadoop\.fs\.s3a?\.|sql\.extensions|sql\.catalog\.spark_catalog)"
)
SECRET = re.compile(r"(?i)(secret|password|token|credential|access[._-]?key)")


def properties(app: Application) -> dict[str, str]:
    """Give the whole configuration: the environment's, then the user's, then ours."""
    mode = _single(app) if app.single else _cluster(app)
    return {**_TUNING, **app.config.conf, **app.spark.conf, **_DELTA, **_identity(app), **_size(app), **mode}


def to_text(conf: Mapping[str, str]) -> str:
    """Write a Java properties file, sorted, so that equal runs have equal ConfigMaps."""
    return "".join(f"{_escape_key(key)}={_escape_value(value)}\n" for key, value in sorted(conf.items()))


_DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.delta.logStore.s3.impl": "dev.lakehouse.spark.S3ConditionalLogStore",
    "spark.delta.logStore.s3a.impl": "dev.lakehouse.spark.S3ConditionalLogStore",
    "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
}

_TUNING = {
    "spark.databricks.delta.snapshotPartitions": "2",  # 50 by default, which costs seconds on the log of a small table
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "32",  # 10,000 tasks to list a few folders otherwise
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
}


def _identity(app: Application) -> dict[str, str]:
    run = app.run.id
    return {
        "spark.master": "k8s://https://kubernetes.default.svc",
        "spark.app.name": app.resource.name,
        "spark.app.id": run,
        "spark.kubernetes.namespace": app.resource.namespace,
        "spark.kubernetes.submitInDriver": "true",
        "spark.kubernetes.driver.pod.name": names.driver_pod(run),
        "spark.kubernetes.resource.type": "python",
        "spark.kubernetes.memoryOverheadFactor": str(OVERHEAD_FACTOR),
        "spark.kubernetes.container.image": app.image,
        "spark.driver.port": str(DRIVER_PORT),
        "spark.driver.blockManager.port": str(BLOCK_PORT),
        "spark.local.dir": LOCAL_DIR,
    }


def _size(app: Application) -> dict[str, str]:
    return {
        "spark.driver.cores": str(app.spark.driver.cores),
        "spark.driver.memory": _mebibytes(app.spark.driver.memory),
    }


def _single(app: Application) -> dict[str, str]:
    return {"spark.kubernetes.driver.master": f"local[{app.spark.driver.cores}]"}


def _cluster(app: Application) -> dict[str, str]:
    """Executors that the driver creates with nothing but rights on Pods, and that have no rights themselves."""
    run, executor = app.run.id, app.spark.executor
    labels = {f"spark.kubernetes.executor.label.{key}": value for key, value in app.labels.items()}
    secrets = {
        f"spark.kubernetes.executor.secretKeyRef.{one.name}": f"{one.secret}:{one.key}"
        for one in app.secrets
        if not one.optional  # Spark has no way to say that a key may be absent
    }
    return {
        **labels,
        **secrets,
        "spark.kubernetes.container.image.pullPolicy": app.config.image_pull_policy,
        "spark.kubernetes.authenticate.driver.serviceAccountName": app.driver_account,
        "spark.kubernetes.authenticate.executor.serviceAccountName": app.config.executor_service_account,
        "spark.kubernetes.executor.podNamePrefix": run,
        "spark.kubernetes.executor.podTemplateFile": f"{TEMPLATE_DIR}/executor.yaml",
        "spark.kubernetes.executor.podTemplateContainerName": "spark-kubernetes-executor",
        "spark.kubernetes.executor.useDriverPodIP": "true",
        "spark.kubernetes.executor.disableConfigMap": "true",
        "spark.kubernetes.executor.enablePollingWithResourceVersion": "true",
        "spark.kubernetes.driver.service.deleteOnTermination": "false",
        "spark.kubernetes.driver.ownPersistentVolumeClaim": "false",
        "spark.executor.instances": str(executor.instances),
        "spark.executor.cores": str(executor.cores),
        "spark.executor.memory": _mebibytes(executor.memory),
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",  # without it the keys of the encrypted local files cross the wire
        "spark.io.encryption.enabled": "true",
    }


def _mebibytes(quantity: str) -> str:
    return f"{int(parse_quantity(quantity) // 2**20)}m"


def _escape_key(key: str) -> str:
    return re.sub(r"([\\:=#! ])", r"\\\1", key)


def _escape_value(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return re.sub(r"^ ", r"\\ ", escaped)
