"""The environment's settings as one validated document: what the decisions may know of where they run."""

import ssl
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from lakehouse_api.catalog import Glue
from lakehouse_api.lineage import LineageEndpoint
from lakehouse_api.model import Model
from lakehouse_api.notify import SecretKey
from lakehouse_api.quantities import Duration
from lakehouse_api.secrets import Credentials, SecretsManager


class BucketConfig(Model):
    """How the jobs of this environment reach one bucket."""

    bucket: str
    endpoint: Annotated[str | None, Field(description="URL of the S3 service; absent: AWS.")] = None
    region: str | None = None
    path_style: bool = False
    credentials: Annotated[
        Credentials | None,
        Field(description="A Secret in the namespace of each resource, or one of AWS; absent: the Pod's identity."),
    ] = None


class LakeConfig(Model):
    """Where the tables of this environment live."""

    uri: Annotated[str, Field(pattern=r"^s3://[a-z0-9.-]+(/.*)?$")]


class SparkConfig(Model):
    """What every Spark Pod of this environment gets unless its resource says otherwise."""

    image: Annotated[str, Field(min_length=1)]
    image_pull_policy: str = "IfNotPresent"
    conf: dict[str, str] = {}
    driver_service_account: str = "lakehouse-spark-driver"
    executor_service_account: str = "lakehouse-spark-executor"
    ca_bundle_config_map: Annotated[
        str | None, Field(description="ConfigMap in each namespace whose key ca.crt the jobs trust beside public CAs.")
    ] = None


class Tenancy(Model):
    """What the resources of the namespaces that match may name. Patterns use * and ?."""

    namespace: str
    tables: list[str] = []
    uris: list[str] = []
    service_accounts: list[str] = []
    aws_secrets: Annotated[
        list[str],
        Field(description="Secrets of AWS that credentials may name, as they name them: by name or ARN, without #key."),
    ] = []
    topics: Annotated[
        list[str], Field(description="ARNs of SNS topics, published to under the operator's own identity.")
    ] = []


class GlueConfig(Glue):
    """A Glue Data Catalog, and which of its databases a schema of the lake is."""

    database_prefix: Annotated[
        str, Field(pattern=r"^[a-z0-9_]*$", description="Before the name of each database, such as dev_.")
    ] = ""
    databases: Annotated[
        dict[str, Annotated[str, Field(pattern=r"^[a-z0-9_]{1,200}$")]],
        Field(description="Database by schema, where the names differ: bronze.orders is in the database of bronze."),
    ] = {}
    quarantine: Annotated[
        bool, Field(description="Register the tables of refused rows as well; they hold rows as they came.")
    ] = False


class Catalog(Model):
    """Where query engines find the tables."""

    glue: GlueConfig


class Notifications(Model):
    """What the operator may send where, when a resource says whom to tell."""

    environment: Annotated[
        str, Field(max_length=64, description="How messages name this environment, such as prod-eu.")
    ] = ""
    allowed_hosts: Annotated[
        list[str],
        Field(description="Hosts that a webhook's URL may name; patterns use * and ?. Nothing else is ever called."),
    ] = ["hooks.slack.com"]
    allow_http: Annotated[bool, Field(description="Take URLs without TLS as well: for tests.")] = False
    ca_bundle: Annotated[
        str | None, Field(description="Certificates, in PEM, that are trusted beside the public ones.")
    ] = None
    sns_endpoint: Annotated[str | None, Field(description="URL of the SNS service; absent: AWS.")] = None
    timeout: Annotated[
        Duration,
        Field(ge=timedelta(seconds=1), le=timedelta(minutes=1), description="How long one delivery may take."),
    ] = timedelta(seconds=10)

    @field_validator("ca_bundle")
    @classmethod
    def _certificates(cls, text: str | None) -> str | None:
        try:
            ssl.create_default_context(cadata=text)
        except (ssl.SSLError, ValueError) as error:
            raise ValueError("it holds no certificate in PEM") from error
        return text

    def allows_host(self, host: str) -> bool:
        """Tell whether a URL may name this host."""
        return any(fnmatchcase(host.lower(), pattern.lower()) for pattern in self.allowed_hosts)


class OpenLineage(LineageEndpoint):
    """Where runs tell what they read and wrote."""

    secret_ref: Annotated[
        SecretKey | None,
        Field(description="The API key, sent as bearer token: in a Secret in the namespace of each resource."),
    ] = None
    allow_http: Annotated[bool, Field(description="Take a URL without TLS as well.")] = False

    @model_validator(mode="after")
    def _over_tls(self) -> Self:
        if self.url.startswith("http:") and not self.allow_http:
            raise ValueError("url is not one of https, and allowHttp is not set")
        return self

    @property
    def endpoint(self) -> LineageEndpoint:
        """Give what a run may know: not the Secret."""
        return LineageEndpoint(url=self.url, namespace=self.namespace, timeout=self.timeout)


class Limits(Model):
    """How many runs may be active at once; what is over waits in line."""

    operator: Annotated[int, Field(ge=1)] = 200
    namespace: Annotated[int, Field(ge=1)] = 100


class Config(Model):
    """The settings of one environment."""

    lake: LakeConfig
    buckets: list[BucketConfig] = []
    spark: SparkConfig
    tenancy: list[Tenancy] = []
    secrets_manager: SecretsManager = SecretsManager()
    catalog: Annotated[Catalog | None, Field(description="Absent: tables are found by their URIs alone.")] = None
    notifications: Notifications = Notifications()
    open_lineage: OpenLineage | None = None
    max_active_runs: Limits = Limits()
    resync_interval: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=10)

    def allows(self, namespace: str, what: str, value: str) -> bool:
        """Tell whether a namespace may name a value; `what` is a list of Tenancy."""
        rules = (rule for rule in self.tenancy if fnmatchcase(namespace, rule.namespace))
        return any(fnmatchcase(value, pattern) for rule in rules for pattern in getattr(rule, what))
