"""What a resource must satisfy before anything runs for it; each check is named for what it finds.

CEL in the CRD refuses what one object alone can show. These checks need the settings, other objects, or a library.
"""

import re
from collections.abc import Iterator

from lakehouse_api.quantities import parse_quantity
from lakehouse_api.schedule import Scheduled
from lakehouse_api.spark import Spark
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.pod_template import refused_fields
from lakehouse_operator.core.schedule import Schedule, ScheduleInvalidError, TimeZoneUnknownError, read_schedule
from lakehouse_operator.core.spark_conf import RESERVED, SECRET
from lakehouse_operator.core.standing import Violation

CONF_KEY = re.compile(r"spark\.[A-Za-z0-9._-]+")
MEMORY_FLOOR = 512 * 2**20
"""Bytes of heap below which Spark refuses to start."""


def schedule_of(spec: Scheduled) -> Schedule | Violation | None:
    """Read the schedule; None if the resource has none."""
    if spec.schedule is None:
        return None
    try:
        return read_schedule(spec.schedule, spec.time_zone)
    except ScheduleInvalidError as error:
        return Violation(reason="ScheduleInvalid", message=f"spec.{error}")
    except TimeZoneUnknownError as error:
        return Violation(reason="TimeZoneUnknown", message=f"spec.{error}")


def not_allowed(config: Config, namespace: str, what: str, field: str, value: str) -> Violation | None:
    """The settings do not let this namespace name that table, URI or service account."""
    if config.allows(namespace, what, value):
        return None
    return Violation(
        reason="NotAllowed",
        message=f"{field}: namespace {namespace} may not use {value!r}; see settings.tenancy",
    )


def spark_violation(spark: Spark, config: Config, namespace: str) -> Violation | None:
    """The first thing in spec.spark that cannot be."""
    return next(_spark_violations(spark, config, namespace), None)


def _spark_violations(spark: Spark, config: Config, namespace: str) -> Iterator[Violation]:
    if spark.service_account:
        violation = not_allowed(
            config, namespace, "service_accounts", "spec.spark.serviceAccount", spark.service_account
        )
        if violation:
            yield violation
    for key in sorted(spark.conf):
        if problem := _conf_problem(key):
            yield Violation(reason="SparkConfRefused", message=f"spec.spark.conf[{key}]: {problem}")
    for field in refused_fields(spark.pod_template):
        yield Violation(
            reason="PodTemplateRefused",
            message=f"spec.spark.podTemplate.{field}: the operator sets this itself, or does not allow it",
        )
    for field, memory in (("driver", spark.driver.memory), ("executor", spark.executor.memory)):
        if parse_quantity(memory) < MEMORY_FLOOR:
            yield Violation(
                reason="InvalidSpec", message=f"spec.spark.{field}.memory: {memory} is less than the 512Mi Spark needs"
            )


def _conf_problem(key: str) -> str:
    if not CONF_KEY.fullmatch(key):
        return "a key begins with spark. and holds letters, digits, dots, dashes and underscores"
    if SECRET.search(key):
        return "a secret would show in the ConfigMap and the Spark UI; name a Secret instead"
    if RESERVED.match(key):
        return "the operator sets this key itself"
    return ""
