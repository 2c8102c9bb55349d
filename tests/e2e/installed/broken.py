"""Pipelines that are wrong in one way each, and what their status must say about it."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.installed.stage import files, pipeline

EMPTY, TEXT = "s3://landing/empty/", "s3://landing/not-parquet/"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One way to be wrong: the pipeline, the reason, and words that the message must have."""

    pipeline: dict[str, Any]
    reason: str
    words: str


def _broken(name: str, reason: str, words: str, **spec: Any) -> Broken:
    return Broken(pipeline=pipeline(f"broken-{name}", **spec), reason=reason, words=words)


def _driver(**spark: Any) -> dict[str, Any]:
    return {"driver": {"memory": "512Mi"}, **spark}


# The heap is taken from the node at once, and is larger than the Pod may have.
_GREEDY = {"spark.driver.extraJavaOptions": "-XX:MaxHeapSize=3g -XX:InitialHeapSize=3g -XX:+AlwaysPreTouch"}

BROKEN = {
    "a bad cron expression": _broken("cron", "ScheduleInvalid", "spec.schedule", schedule="61 * * * *"),
    "an unknown time zone": _broken(
        "zone", "TimeZoneUnknown", "Europe/Atlantis", schedule="0 6 * * *", timeZone="Europe/Atlantis"
    ),
    "a contract that is no JSON Schema": _broken(
        "contract", "ContractInvalid", "not a valid JSON Schema", contract={"schema": {"type": "objekt"}}
    ),
    "a contract that does not exist": _broken(
        "reference", "ContractMissing", "there is no DataContract 'nowhere'", contract={"ref": "nowhere"}
    ),
    "a Secret that does not exist": _broken(
        "secret", "SecretMissing", "nobodys-secret", source=files(secret="nobodys-secret"), startTimeout="15s"
    ),
    "credentials that are wrong": _broken(
        "credentials", "AccessDenied", "Check the Secret", source=files(secret="wrong-s3")
    ),
    "a bucket that does not exist": _broken("bucket", "SourceMissing", "bucket", source=files("s3://nowhere/at/all/")),
    "an empty folder": _broken("empty", "SourceEmpty", "never had any", source=files(EMPTY)),
    "files of another format": _broken(
        "format", "DataRefused", "source.files.format", source=files(TEXT, format="parquet")
    ),
    "an image that cannot be pulled": _broken(
        "image",
        "ImagePullFailed",
        "localhost/nowhere:1",
        spark=_driver(image="localhost/nowhere:1"),
        startTimeout="15s",
    ),
    "a node that is too small": _broken(
        "node", "Unschedulable", "memory", spark={"driver": {"memory": "900Gi"}}, startTimeout="15s"
    ),
    "a driver that takes more memory than it may": _broken(
        "memory", "OutOfMemory", "spec.spark.driver.memory", spark=_driver(conf=_GREEDY)
    ),
    "a table that is not this namespace's": _broken(
        "tenant", "NotAllowed", "settings.tenancy", target={"table": "gold.secrets"}
    ),
    "files that are not this namespace's": _broken(
        "source", "NotAllowed", "settings.tenancy", source=files("s3://lake/other/")
    ),
    "a Spark key of the operator": _broken(
        "conf", "SparkConfRefused", "spark.master", spark=_driver(conf={"spark.master": "local"})
    ),
    "a volume of the node": _broken(
        "volume",
        "PodTemplateRefused",
        "hostPath",
        spark=_driver(podTemplate={"spec": {"volumes": [{"name": "node", "hostPath": {"path": "/"}}]}}),
    ),
}
