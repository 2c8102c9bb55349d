"""DataContract: a JSON Schema with an owner, named by the pipelines that enforce it."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from lakehouse_api.model import Model
from lakehouse_api.status import BY_TYPE, Condition

JsonSchema = Annotated[
    dict[str, Any],
    Field(
        description="JSON Schema 2020-12 of one row.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    ),
]


class Compatibility(StrEnum):
    """Which changes of the schema its consumers can take."""

    BACKWARD = "Backward"
    FULL = "Full"
    NONE = "None"


class DataContractSpec(Model):
    """What the owner promises about every row."""

    owner: Annotated[str, Field(max_length=253)] = ""
    compatibility: Compatibility = Compatibility.BACKWARD
    schema_: Annotated[JsonSchema, Field(alias="schema")]


class DataContractStatus(Model):
    """Whether the schema can be used, and its version."""

    observed_generation: int = -1
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=BY_TYPE)] = []
    version: Annotated[str | None, Field(description="The first 12 digits of the schema's SHA-256.")] = None
