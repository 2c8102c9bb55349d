"""DataContract: is the schema usable, and which version is it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from lakehouse_api.data_contract import DataContractSpec, DataContractStatus
from lakehouse_operator.core import standing
from lakehouse_operator.core.conditions import merge, ready
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.contracts import schema_violation, version_of
from lakehouse_operator.core.plan import Plan
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.specs import invalid_spec
from lakehouse_operator.core.standing import Violation


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A contract depends on nothing but itself."""


def reconcile(resource: Resource, seen: Seen, now: datetime, config: Config) -> Plan:  # noqa: ARG001  # every kind's
    """Judge the schema."""
    try:
        spec = DataContractSpec.model_validate(resource.spec)
    except ValidationError as error:
        return _plan(resource, invalid_spec(error), None, now)
    return _plan(resource, schema_violation(spec.schema_), version_of(spec.schema_), now)


def _plan(resource: Resource, violation: Violation | None, version: str | None, now: datetime) -> Plan:
    old = DataContractStatus.model_validate(resource.status, extra="ignore")
    judged = standing.of_violation(violation) if violation else [ready("Valid", "the schema can be enforced")]
    status = DataContractStatus(
        observed_generation=resource.generation,
        conditions=merge(old.conditions, judged, generation=resource.generation, now=now),
        version=version,
    )
    return Plan(status=status.told())
