"""DataContract: a JSON Schema with an owner, named by the pipelines that enforce it, and its versions."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from lakehouse_api.model import ATOMIC, Model
from lakehouse_api.status import BY_TYPE, Condition, Time

VERSION = r"^[0-9a-f]{12}$"
MOST_VERSIONS = 20
MOST_CHANGES = 10
MOST_CONSUMERS = 100

JsonSchema = Annotated[
    dict[str, Any],
    Field(
        description="JSON Schema 2020-12 of one row.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    ),
]
StoredSchema = Annotated[
    dict[str, Any],
    Field(
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True, "x-kubernetes-map-type": "atomic"},
    ),
]
"""A schema in a status: one value, for which the API server keeps no owner of each of its fields."""


class Compatibility(StrEnum):
    """Which changes of the schema its consumers can take."""

    BACKWARD = "Backward"
    FULL = "Full"
    NONE = "None"


class DataContractSpec(Model):
    """What the owner promises about every row."""

    owner: Annotated[str, Field(max_length=253)] = ""
    compatibility: Compatibility = Compatibility.BACKWARD
    accept_breaking: Annotated[
        str | None,
        Field(
            pattern=VERSION,
            description="The version that may be taken up although it breaks what `compatibility` promises.",
        ),
    ] = None
    schema_: Annotated[JsonSchema, Field(alias="schema")]


class AcceptedVersion(Model):
    """The version that pipelines use."""

    version: str
    schema_: Annotated[StoredSchema, Field(alias="schema")]
    accepted_at: Time


class ProposedVersion(Model):
    """The version in the spec that was not taken up, and how it stands to the accepted one."""

    version: str
    against: Annotated[str, Field(description="The version it was compared with.")]
    mode: Compatibility
    proven: Annotated[bool, Field(description="Whether the change is known to break; otherwise nobody knows.")] = False
    summary: Annotated[str, Field(description="What breaks, with a row that shows it.")] = ""
    changes: Annotated[list[str], Field(max_length=MOST_CHANGES + 1, json_schema_extra=ATOMIC)] = []


class VersionVerdict(StrEnum):
    """Why a version was taken up, or was not; the reason of the condition Compatible."""

    FIRST = "FirstVersion"
    COMPATIBLE = "Compatible"
    NOT_IN_USE = "NotInUse"
    NOT_COMPARED = "NotCompared"
    BREAKING_ACCEPTED = "BreakingAccepted"
    BREAKING = "BreakingChange"
    UNKNOWN = "CompatibilityUnknown"

    @property
    def taken_up(self) -> bool:
        """Tell whether pipelines use the version."""
        return self not in {VersionVerdict.BREAKING, VersionVerdict.UNKNOWN}


class ContractVersion(Model):
    """One version in the contract's history."""

    version: str
    time: Annotated[Time, Field(description="When the verdict was reached.")]
    verdict: VersionVerdict
    changes: Annotated[list[str], Field(max_length=MOST_CHANGES + 1, json_schema_extra=ATOMIC)] = []


class Consumer(Model):
    """A pipeline that names the contract."""

    name: str
    version: Annotated[str | None, Field(description="The version its last run enforced.")] = None


class DataContractStatus(Model):
    """Whether the schema can be used, which version pipelines use, and how it came to it."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=BY_TYPE)] = []
    version: Annotated[str | None, Field(description="The first 12 digits of the SHA-256 of the spec's schema.")] = None
    accepted: AcceptedVersion | None = None
    proposed: ProposedVersion | None = None
    versions: Annotated[list[ContractVersion], Field(max_length=MOST_VERSIONS, json_schema_extra=ATOMIC)] = []
    consumers: Annotated[list[Consumer], Field(max_length=MOST_CONSUMERS, json_schema_extra=ATOMIC)] = []
    used_by: Annotated[int | None, Field(description="How many pipelines name the contract.")] = None
