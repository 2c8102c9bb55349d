"""Credentials of a bucket come from the environment, by a prefix that the configuration names."""

import pytest

from lakehouse_dev.s3 import S3
from tests.spark.log_store.drivers import OURS, Driver, JavaError

pytestmark = pytest.mark.spark


def commit_with_prefix(driver: Driver, store: S3, log: str, prefix: str) -> None:
    options = {
        "fs.s3a.bucket.private.aws.credentials.provider": "dev.lakehouse.spark.EnvironmentCredentials",
        "fs.s3a.bucket.private.lakehouse.credentials.prefix": prefix,
    }
    path = f"{log.replace('s3a://lake/', 's3a://private/')}/{0:020}.json"
    driver.commit(OURS, path, ["{}"], driver.configuration(store.endpoint, options))


def test_a_bucket_is_written_with_the_keys_under_its_prefix(store: S3, log: str, first_driver: Driver) -> None:
    commit_with_prefix(first_driver, store, log, "LAKE")


def test_a_variable_that_is_missing_is_named(store: S3, log: str, first_driver: Driver) -> None:
    with pytest.raises(JavaError, match=r"s3a://private.*: the environment variable ABSENT_ACCESS_KEY_ID is missing"):
        commit_with_prefix(first_driver, store, log, "ABSENT")


def test_a_wrong_secret_is_refused_by_the_store_as_access_denied(store: S3, log: str, first_driver: Driver) -> None:
    with pytest.raises(JavaError) as refused:
        commit_with_prefix(first_driver, store, log, "STALE")
    assert refused.value.kind == "java.nio.file.AccessDeniedException"
    assert "rotated-away" not in str(refused.value)
