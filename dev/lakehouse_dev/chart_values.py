"""The values of the Helm chart as models: values.schema.json is generated from them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from lakehouse_api.model import Model
from lakehouse_operator.core.config import Config

Port = Annotated[int, Field(ge=1024, le=65535)]
Object = dict[str, Any]


class Image(Model):
    """An image by repository and tag, or by digest."""

    repository: Annotated[str, Field(min_length=1)]
    tag: Annotated[str, Field(description="Default: the chart's appVersion.")] = ""
    digest: Annotated[str, Field(pattern="^(sha256:[0-9a-f]{64})?$", description="Outranks the tag.")] = ""


class OperatorImage(Image):
    """The operator's own image."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"


class Crds(Model):
    """The custom resource definitions."""

    enabled: Annotated[bool, Field(description="Install and upgrade them with the chart.")] = True
    keep: Annotated[
        bool, Field(description="Leave them, and with them every resource of ours, in the cluster at helm uninstall.")
    ] = True


class Rbac(Model):
    """Rights."""

    create: bool = True
    aggregate: Annotated[bool, Field(description="Let people with view, edit or admin see or change our kinds.")] = True


class ServiceAccount(Model):
    """The operator's own account."""

    create: bool = True
    name: Annotated[str, Field(description="Default: the release's full name.")] = ""
    annotations: dict[str, str] = {}


class SparkAccounts(Model):
    """The accounts of driver and executor Pods, made in every namespace of settings.tenancy that is no pattern."""

    create: bool = True
    namespaces: Annotated[
        list[str], Field(description="More namespaces to make them in, such as those that only a pattern matches.")
    ] = []
    driver_annotations: Annotated[
        dict[str, str], Field(description="Of the drivers' account, such as the role of a cloud.")
    ] = {}
    executor_annotations: dict[str, str] = {}


class Notifications(Model):
    """The rights that telling people of broken SLAs needs."""

    enabled: Annotated[bool, Field(description="Let the operator read the Secrets that spec.notify names.")] = False
    namespaces: Annotated[
        list[str], Field(description="Where, beside the namespaces of settings.tenancy that are no patterns.")
    ] = []
    secret_names: Annotated[list[str], Field(description="The only Secrets it may read there; empty: any.")] = []


class ServiceMonitor(Model):
    """For clusters with the Prometheus operator."""

    enabled: bool = False
    interval: str = "30s"
    labels: dict[str, str] = {}


class PrometheusRule(Model):
    """Alerts, for clusters with the Prometheus operator."""

    enabled: bool = False
    labels: dict[str, str] = {}


class Metrics(Model):
    """How Prometheus reaches the operator."""

    service: Annotated[bool, Field(description="Make a Service in front of the metrics.")] = True
    service_monitor: ServiceMonitor = ServiceMonitor()
    prometheus_rule: PrometheusRule = PrometheusRule()


class Switch(Model):
    """An optional object."""

    enabled: bool = False


class Values(Model):
    """Everything that can be set."""

    name_override: str = ""
    fullname_override: str = ""
    image: OperatorImage
    spark_image: Annotated[Image, Field(description="The jobs' image, where settings.spark.image names none.")]
    image_pull_secrets: list[Object] = []
    replica_count: Annotated[
        int, Field(ge=1, le=2, description="One leads, a second one waits to take over; more would only wait.")
    ] = 1
    port: Annotated[Port, Field(description="Of /healthz, /readyz and /metrics.")] = 8080
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    settings: Annotated[Config, Field(description="The settings of this environment; the operator reads them as is.")]
    notifications: Notifications = Notifications()
    watch_namespaces: Annotated[
        list[str], Field(description="Serve only these namespaces, with rights only there. Empty: all of them.")
    ] = []
    crds: Crds = Crds()
    rbac: Rbac = Rbac()
    service_account: ServiceAccount = ServiceAccount()
    spark_accounts: SparkAccounts = SparkAccounts()
    metrics: Metrics = Metrics()
    pod_disruption_budget: Annotated[Switch, Field(description="Made only for two replicas.")] = Switch(enabled=True)
    network_policy: Annotated[
        Switch, Field(description="Let in scrapes and probes only, let out to DNS and the API server only.")
    ] = Switch()
    resources: Object = {}
    priority_class_name: str = ""
    node_selector: dict[str, str] = {}
    affinity: Object = {}
    tolerations: list[Object] = []
    topology_spread_constraints: list[Object] = []
    pod_annotations: dict[str, str] = {}
    pod_labels: dict[str, str] = {}
    env: Annotated[list[Object], Field(description="More environment variables of the operator.")] = []
    termination_grace_period_seconds: Annotated[int, Field(ge=5)] = 30
    revision_history_limit: Annotated[int, Field(ge=0)] = 3
    release_drivers: Annotated[
        Switch, Field(description="At helm uninstall, release the driver Pods that are still there.")
    ] = Switch(enabled=True)
    global_: Annotated[Object, Field(alias="global", description="Of a parent chart; not used.")] = {}
