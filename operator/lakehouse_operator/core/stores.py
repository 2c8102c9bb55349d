"""Where tables and sources lie in this environment, and whose credentials open them."""

from collections.abc import Iterable, Mapping, Sequence

from lakehouse_api.run import Store
from lakehouse_api.secrets import Credentials, SecretUse
from lakehouse_operator.core.config import BucketConfig, Config

_KEYS = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")


def table_uri(config: Config, table: str) -> str:
    """Give the place of a logical table: bronze.orders lies in bronze/orders under the lake."""
    return f"{config.lake.uri.rstrip('/')}/{table.replace('.', '/')}"


def stores_of(uris: Iterable[str], own: Mapping[str, Credentials], config: Config) -> list[Store]:
    """Describe each bucket that a job touches, once; `own` has the credentials for a URI, before the environment's."""
    buckets = dict.fromkeys(_bucket(uri) for uri in uris)
    opened = _opened(buckets, own, config)
    return [_store(bucket, _config_of(bucket, config), bucket in opened, i) for i, bucket in enumerate(buckets)]


def store_uses(stores: Sequence[Store], own: Mapping[str, Credentials], config: Config) -> tuple[SecretUse, ...]:
    """Give the environment variables that carry the credentials of those buckets."""
    opened = _opened([store.bucket for store in stores], own, config)
    return tuple(
        SecretUse(
            credentials=opened[store.bucket],
            key=f"AWS_{key}",
            variable=f"{store.credentials_prefix}_{key}",
            optional=key == "SESSION_TOKEN",
        )
        for store in stores
        if store.credentials_prefix
        for key in _KEYS
    )


def _opened(buckets: Iterable[str], own: Mapping[str, Credentials], config: Config) -> dict[str, Credentials]:
    """Give the credentials of each bucket that has some: the resource's own, else the environment's."""
    brought = {_bucket(uri): credentials for uri, credentials in own.items()}
    found = {bucket: brought.get(bucket) or _config_of(bucket, config).credentials for bucket in buckets}
    return {bucket: credentials for bucket, credentials in found.items() if credentials}


def _config_of(bucket: str, config: Config) -> BucketConfig:
    return next((one for one in config.buckets if one.bucket == bucket), BucketConfig(bucket=bucket))


def _store(bucket: str, config: BucketConfig, has_credentials: bool, index: int) -> Store:  # noqa: FBT001  # private
    return Store(
        bucket=bucket,
        endpoint=config.endpoint,
        region=config.region,
        path_style=config.path_style,
        credentials_prefix=f"LAKEHOUSE_S3_{index}" if has_credentials else None,
    )


def _bucket(uri: str) -> str:
    return uri.removeprefix("s3://").split("/", 1)[0]
