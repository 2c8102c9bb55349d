"""Building the objects of a run, from values only: the ConfigMap, the driver Pod, the template of its executors."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from lakehouse_api.quantities import parse_quantity
from lakehouse_operator.core import names
from lakehouse_operator.core.application import (
    BLOCK_PORT,
    CA_DIR,
    CONF_DIR,
    DRIVER_PORT,
    LOCAL_DIR,
    MAIN,
    OVERHEAD_FACTOR,
    OVERHEAD_FLOOR,
    RUN_DIR,
    SPARK_VERSION,
    TEMPLATE_DIR,
    Application,
)
from lakehouse_operator.core.drivers import CONTAINER
from lakehouse_operator.core.plan import Launch, Manifest
from lakehouse_operator.core.pod_template import overlay
from lakehouse_operator.core.spark_conf import properties, to_text

_EXECUTOR_CONTAINER = "spark-kubernetes-executor"
_POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 185,
    "runAsGroup": 185,
    "fsGroup": 185,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def build_launch(app: Application) -> Launch:
    """Build the two objects of an attempt."""
    return Launch(run_id=app.run.id, config_map=_config_map(app), pod=_driver(app))


def _config_map(app: Application) -> Manifest:
    data = {
        "run.json": json.dumps(app.run.document(), sort_keys=True, ensure_ascii=False),
        "spark.properties": to_text(properties(app)),
    }
    if not app.single:
        data["executor.yaml"] = yaml.safe_dump(_executor(app), sort_keys=True)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(app, app.run.id),
        "immutable": True,
        "data": data,
    }


def _metadata(app: Application, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": app.resource.namespace,
        "labels": app.labels,
        "annotations": {
            names.SLOT: app.start.slot.text,
            names.FAILURES: str(app.start.failures),
            names.SPEC: app.spec_hash,
        },
        "ownerReferences": [names.owner_reference(app.resource)],
    }


def _driver(app: Application) -> Manifest:
    metadata = _metadata(app, names.driver_pod(app.run.id))
    metadata["finalizers"] = [names.DRIVER_FINALIZER]
    metadata["labels"] = {
        **app.labels,
        "spark-app-selector": app.run.id,
        "spark-app-name": names.label_value(app.resource.name),
        "spark-role": "driver",
        "spark-version": SPARK_VERSION,
    }
    spec = {
        **_common_spec(app),
        "serviceAccountName": app.driver_account,
        "automountServiceAccountToken": not app.single,
        "activeDeadlineSeconds": max(1, int(app.timeout.total_seconds())),
        "terminationGracePeriodSeconds": 30,
        "containers": [_driver_container(app)],
        "volumes": [*_driver_volumes(app), *_ca_volumes(app)],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return overlay(pod, app.spark.pod_template)


def _common_spec(app: Application) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "enableServiceLinks": False,
        "securityContext": _POD_SECURITY,
    }
    if app.spark.image_pull_secrets:
        spec["imagePullSecrets"] = [secret.document() for secret in app.spark.image_pull_secrets]
    return spec


def _driver_container(app: Application) -> dict[str, Any]:
    return {
        "name": CONTAINER,
        "image": app.image,
        "imagePullPolicy": app.config.image_pull_policy,
        "args": _arguments(),
        "env": [*_driver_env(app), *_ca_env(app), *_secret_env(app)],
        "ports": [
            {"name": "driver-rpc-port", "containerPort": DRIVER_PORT, "protocol": "TCP"},
            {"name": "blockmanager", "containerPort": BLOCK_PORT, "protocol": "TCP"},
        ],
        "resources": _resources(app.spark.driver.cores, app.spark.driver.memory),
        "securityContext": _CONTAINER_SECURITY,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "workingDir": "/opt/spark/work-dir",
        "volumeMounts": [*_driver_mounts(app), *_ca_mounts(app)],
    }


def _arguments() -> list[str]:
    conf = f"{CONF_DIR}/spark.properties"
    runner = "org.apache.spark.deploy.PythonRunner"
    return ["driver", "--properties-file", conf, "--class", runner, MAIN, f"{RUN_DIR}/run.json"]


def _driver_env(app: Application) -> list[dict[str, Any]]:
    return [
        {"name": "SPARK_USER", "value": "spark"},
        {"name": "SPARK_APPLICATION_ID", "value": app.run.id},
        {"name": "SPARK_CONF_DIR", "value": CONF_DIR},
        {"name": "SPARK_LOCAL_DIRS", "value": LOCAL_DIR},
        {"name": "LAKEHOUSE_SPARK_MODE", "value": app.spark.mode.value},
        {
            "name": "SPARK_DRIVER_BIND_ADDRESS",
            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}},
        },
    ]


def _secret_env(app: Application) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "valueFrom": {"secretKeyRef": _key_ref(one.secret, one.key, one.optional)}}
        for one in app.secrets
    ]


def _key_ref(secret: str, key: str, optional: bool) -> dict[str, Any]:  # noqa: FBT001  # private, called in one place
    return {"name": secret, "key": key, **({"optional": True} if optional else {})}


def _resources(cores: int, memory: str) -> dict[str, Any]:
    """Request and limit of memory are the heap and what Python and the JVM need beside it, in MiB."""
    heap = parse_quantity(memory)
    mebibytes = int((heap + max(heap * OVERHEAD_FACTOR, OVERHEAD_FLOOR)) // 2**20)
    return {"requests": {"cpu": str(cores), "memory": f"{mebibytes}Mi"}, "limits": {"memory": f"{mebibytes}Mi"}}


def _driver_volumes(app: Application) -> list[dict[str, Any]]:
    config = {"name": app.run.id}
    volumes = [
        {
            "name": "spark-conf",
            "configMap": {**config, "items": [{"key": "spark.properties", "path": "spark.properties"}]},
        },
        {"name": "run", "configMap": {**config, "items": [{"key": "run.json", "path": "run.json"}]}},
        *_scratch_volumes(),
    ]
    if not app.single:
        template = {**config, "items": [{"key": "executor.yaml", "path": "executor.yaml"}]}
        volumes.append({"name": "pod-template", "configMap": template})
    return volumes


def _driver_mounts(app: Application) -> list[dict[str, Any]]:
    mounts = [
        {"name": "spark-conf", "mountPath": CONF_DIR},
        {"name": "run", "mountPath": RUN_DIR},
        *_scratch_mounts(),
    ]
    return mounts if app.single else [*mounts, {"name": "pod-template", "mountPath": TEMPLATE_DIR}]


def _scratch_volumes() -> list[dict[str, Any]]:
    """Everything a Pod with a read-only root writes to."""
    return [{"name": name, "emptyDir": {}} for name in ("spark-local-dir-1", "work", "tmp")]


def _scratch_mounts() -> list[dict[str, Any]]:
    return [
        {"name": "spark-local-dir-1", "mountPath": LOCAL_DIR},
        {"name": "work", "mountPath": "/opt/spark/work-dir"},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # the Pod's own emptyDir
    ]


def _ca_volumes(app: Application) -> list[dict[str, Any]]:
    bundle = app.config.ca_bundle_config_map
    return [{"name": "ca-bundle", "configMap": {"name": bundle}}] if bundle else []


def _ca_mounts(app: Application) -> list[dict[str, Any]]:
    bundle = app.config.ca_bundle_config_map
    return [{"name": "ca-bundle", "mountPath": CA_DIR, "readOnly": True}] if bundle else []


def _ca_env(app: Application) -> list[dict[str, Any]]:
    bundle = app.config.ca_bundle_config_map
    return [{"name": "LAKEHOUSE_CA_BUNDLE", "value": f"{CA_DIR}/ca.crt"}] if bundle else []


def _executor(app: Application) -> Mapping[str, Any]:
    """Build the template Spark starts its executors from: no token, no rights, the same restrictions as the driver."""
    container = {
        "name": _EXECUTOR_CONTAINER,
        "env": _ca_env(app),
        "securityContext": _CONTAINER_SECURITY,
        "volumeMounts": [*_scratch_mounts(), *_ca_mounts(app)],
    }
    spec = {
        **_common_spec(app),
        "serviceAccountName": app.config.executor_service_account,
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [*_scratch_volumes(), *_ca_volumes(app)],
    }
    return overlay(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {}}, "spec": spec}, app.spark.pod_template
    )
