"""What a person can ask to be done with the rows in a table's quarantine."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lakehouse_api.model import Model


class Verb(StrEnum):
    """What is done with the rows."""

    INSPECT = "inspect"
    REPLAY = "replay"
    DISCARD = "discard"


class RowFilter(Model):
    """Which open rows are meant: those that satisfy all that is given."""

    keyword: Annotated[str | None, Field(min_length=1, description="Of one of the row's reasons.")] = None
    path: Annotated[
        str | None, Field(min_length=1, description="Of the same reason: this JSON Pointer, or one below it.")
    ] = None
    run: Annotated[str | None, Field(min_length=1, description="The run that quarantined the row.")] = None


class QuarantineRequest(Model):
    """One request, as the annotation `lakehouse.dev/quarantine` has it."""

    verb: Verb
    rows: RowFilter = RowFilter()
    because: Annotated[str | None, Field(max_length=500, description="Of discard: why nobody needs the rows.")] = None
