"""How credentials reach a job: a Secret's by the kubelet, those of AWS Secrets Manager by the job itself."""

from collections.abc import Iterable, Mapping

from lakehouse_api.ingest_pipeline import IngestPipelineSpec, Source
from lakehouse_api.secrets import AwsSecret, AwsSecrets, Credentials, SecretUse
from lakehouse_api.spark import SparkMode
from lakehouse_operator.core.application import SecretEnv
from lakehouse_operator.core.checks import not_allowed
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.sources import buckets_read
from lakehouse_operator.core.standing import Violation
from lakehouse_operator.core.stores import store_uses, stores_of


def secret_uses(spec: IngestPipelineSpec, config: Config) -> tuple[SecretUse, ...]:
    """Give everything secret that a job needs: for its buckets, then for a source that is none."""
    return (*_of_stores(spec, config), *spec.source.chosen.secret_uses)


def own_credentials(source: Source) -> Mapping[str, Credentials]:
    """Give the credentials for each URI for which the pipeline brings its own."""
    return {uri: credentials for uri, credentials in buckets_read(source).items() if credentials}


def from_secrets(uses: Iterable[SecretUse]) -> tuple[SecretEnv, ...]:
    """Give the environment variables whose values the kubelet takes from Secrets."""
    return tuple(
        SecretEnv(name=use.variable, secret=use.credentials.secret_ref.name, key=use.key, optional=use.optional)
        for use in uses
        if use.credentials.secret_ref
    )


def from_aws(uses: Iterable[SecretUse], config: Config) -> AwsSecrets | None:
    """Give what the job reads from AWS Secrets Manager, each secret once; None if there is nothing."""
    by_name: dict[str, list[SecretUse]] = {}
    for use in uses:
        if use.credentials.aws_secret:
            by_name.setdefault(use.credentials.aws_secret, []).append(use)
    secrets = [_aws_secret(name, some) for name, some in by_name.items()]
    return AwsSecrets(**config.secrets_manager.model_dump(), secrets=secrets) if secrets else None


def credentials_violation(spec: IngestPipelineSpec, config: Config, namespace: str) -> Violation | None:
    """Say why credentials cannot be used: the namespace may not name them, or executors cannot get them."""
    checks = (
        not_allowed(config, namespace, "aws_secrets", f"spec.source.{spec.source.kind}.{field}.awsSecret", name)
        for field, credentials in spec.source.credentials.items()
        if (name := credentials.aws_name)
    )
    return next((violation for violation in checks if violation), None) or _unreachable(spec, config)


def _unreachable(spec: IngestPipelineSpec, config: Config) -> Violation | None:
    """Only the driver reads secrets of AWS: executors, which have no rights, would stand before a closed bucket."""
    if spec.spark.mode is not SparkMode.CLUSTER:
        return None
    name = next((use.credentials.aws_secret for use in _of_stores(spec, config) if use.credentials.aws_secret), None)
    if name is None:
        return None
    return Violation(
        reason="CredentialsUnsupported",
        message=f"spec.spark.mode: the executors of mode Cluster do not get the credentials of a bucket from {name!r}, "
        "which only the driver reads; use a secretRef, the identity of the Pods, or mode Single",
    )


def _of_stores(spec: IngestPipelineSpec, config: Config) -> tuple[SecretUse, ...]:
    own = own_credentials(spec.source)
    return store_uses(stores_of((config.lake.uri, *buckets_read(spec.source)), own, config), own, config)


def _aws_secret(name: str, uses: Iterable[SecretUse]) -> AwsSecret:
    secret, _, key = name.partition("#")
    several = tuple(uses)
    return AwsSecret(
        name=secret,
        key=key or None,
        variables={use.key: use.variable for use in several},
        required=[use.key for use in several if not use.optional],
    )
