"""How much of the cluster a run may use, and the knobs a platform needs on its Pods."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from lakehouse_api.model import ATOMIC, Model
from lakehouse_api.quantities import Quantity


class SparkMode(StrEnum):
    """Single: the driver alone does the work. Cluster: the driver starts executors."""

    SINGLE = "Single"
    CLUSTER = "Cluster"


class Driver(Model):
    """Size of the driver Pod. Memory is the JVM heap; the overhead is added to it."""

    cores: Annotated[int, Field(ge=1, le=64)] = 1
    memory: Quantity = "2Gi"


class Executor(Model):
    """Number and size of the executor Pods in Cluster mode."""

    instances: Annotated[int, Field(ge=1, le=1000)] = 2
    cores: Annotated[int, Field(ge=1, le=64)] = 1
    memory: Quantity = "2Gi"


class PullSecret(Model):
    """A Secret with registry credentials in the resource's own namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)]


class Spark(Model):
    """The Spark application of one run."""

    mode: SparkMode = SparkMode.SINGLE
    image: Annotated[str, Field(max_length=512, description="Default: the image in the operator's settings.")] = ""
    driver: Driver = Driver()
    executor: Executor = Executor()
    conf: Annotated[
        dict[str, Annotated[str, Field(max_length=4096)]],
        Field(
            max_length=100,
            description="Extra Spark configuration. Keys that the operator sets are refused.",
        ),
    ] = {}
    service_account: Annotated[
        str, Field(max_length=253, description="Of the driver. It must be allowed by the operator's settings.")
    ] = ""
    image_pull_secrets: Annotated[list[PullSecret], Field(max_length=10, json_schema_extra=ATOMIC)] = []
    pod_template: Annotated[
        dict[str, Any],
        Field(
            description=(
                "Overlay for the driver's and executors' Pods: metadata.labels and annotations, spec.tolerations, "
                "affinity, nodeSelector, volumes, containers[0].env and more. Fields the operator sets are refused."
            ),
            json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
        ),
    ] = {}
