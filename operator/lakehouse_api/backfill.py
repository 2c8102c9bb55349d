"""A backfill: a range of a source that was read before is read once more, slice by slice."""

import json
import re
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from lakehouse_api.model import Model
from lakehouse_api.status import Time

_INTERVAL = re.compile(r"[^{/\s]+/[^/\s]+")
"""`2026-01-01/2026-02-01`, as ISO 8601 writes an interval."""

Point = Annotated[str, Field(min_length=1, max_length=64, description="A time, a date or a number, as the cursor is.")]


class BackfillRange(Model):
    """Which part of a source is read again: `from` belongs to it, `until` does not."""

    from_: Annotated[Point | None, Field(alias="from")] = None
    until: Point | None = None
    prefix: Annotated[
        str | None,
        Field(min_length=1, max_length=512, description="Of files: only those below the folder's URI + this."),
    ] = None
    replace: Annotated[
        bool,
        Field(
            description="What the table has of the range is replaced by what the source has now. Else only what the "
            "table lacks is added."
        ),
    ] = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if (self.from_ is None) != (self.until is None):
            raise ValueError("from and until belong together")
        if self.from_ is None and self.prefix is None:
            raise ValueError("from and until are missing")
        return self

    @property
    def shown(self) -> str:
        """Say it in a sentence."""
        parts = [f"from {self.from_} to {self.until}"] if self.from_ else []
        return ", ".join([*parts, *([f"below {self.prefix}"] if self.prefix else [])])


class BackfillRequest(BackfillRange):
    """One request, as the annotation `lakehouse.dev/backfill` has it."""

    slice_: Annotated[
        str | None,
        Field(alias="slice", description="How much one batch reads: a duration, or of numbers how many. Absent: all."),
    ] = None
    token: Annotated[str | None, Field(max_length=64, description="Another one asks for the same range again.")] = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the annotation: a JSON object, or just `from/until`. Raise ValueError, which says what is wrong."""
        try:
            return cls.model_validate(_document(text))
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise ValueError(f"{where}: {problem['msg']}".removeprefix(": ").replace("Value error, ", "")) from error

    @property
    def range(self) -> BackfillRange:
        """Give the range alone."""
        return BackfillRange.model_validate(self.model_dump(include=set(BackfillRange.model_fields)))


def _document(text: str) -> dict[str, Any]:
    if _INTERVAL.fullmatch(text.strip()):
        start, _, end = text.strip().partition("/")
        return {"from": start, "until": end}
    document = _json(text)
    if isinstance(document, dict):
        return document
    raise ValueError("it is neither FROM/UNTIL nor a JSON object")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


class BackfillState(StrEnum):
    """How far a backfill has come."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    REFUSED = "Refused"
    WITHDRAWN = "Withdrawn"


class BackfillStatus(Model):
    """The backfill that was asked for last, and what came of it."""

    id: Annotated[str, Field(description="Digest of the annotation: it has been taken up.")]
    request: Annotated[str, Field(description="The annotation, or its beginning.")]
    state: BackfillState
    reason: Annotated[str, Field(max_length=64)] = ""
    message: Annotated[str, Field(max_length=4096)] = ""
    slices: Annotated[int, Field(description="Batches that the range is cut into.")] = 0
    slices_done: int = 0
    rows_read: int = 0
    rows_written: int = 0
    rows_quarantined: int = 0
    progress: Annotated[str | None, Field(description="Slices done, of all.")] = None
    asked_at: Time
    finished_at: Time | None = None
