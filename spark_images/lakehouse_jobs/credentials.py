"""The credentials of a job in its environment: put there by the kubelet, or read from AWS Secrets Manager."""

import os
from collections.abc import Mapping
from typing import Any

from pyspark.sql import SparkSession

from lakehouse_api.run import RunSpec
from lakehouse_api.secrets import source_variable
from lakehouse_jobs.aws import secrets
from lakehouse_jobs.failures import unavailable


class SourceCredentials:
    """The keys of the secret that the source names. Values are read when asked for and shown nowhere."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def find(self, key: str) -> str | None:
        """Give the value of a key, or None if the secret lacks it or none is named."""
        return self._environment.get(source_variable(key))

    def require(self, key: str) -> str:
        """Give the value of a key; raise CredentialsMissing, which a person can mend while the run is retried."""
        value = self.find(key)
        if not value:
            raise unavailable(
                "CredentialsMissing",
                f"the Secret that the source's credentials name has no key {key!r}. Add it; the next attempt reads it.",
            )
        return value


def fetch(run: RunSpec) -> Mapping[str, str]:
    """Read what the run names of AWS Secrets Manager, by variable; raise JobError if something is missing."""
    return secrets.read(run.aws_secrets) if run.aws_secrets else {}


def give(spark: SparkSession, variables: Mapping[str, str]) -> None:
    """Put variables where the sources find them, and where S3A finds those of buckets: in the driver's memory alone."""
    os.environ.update(variables)
    jvm: Any = spark._jvm  # noqa: SLF001 (no public door)
    for name, value in variables.items():
        jvm.dev.lakehouse.spark.EnvironmentCredentials.give(name, value)
