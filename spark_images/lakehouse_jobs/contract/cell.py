"""What is known of one field in a row, whatever format the row came in."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import Column

from lakehouse_api.columns import Field
from lakehouse_jobs.contract.conditions import Condition


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """What one format can tell of a field in a row. Columns may be NULL where a condition does not hold.

    `missing`: the instance surely lacks the member. `empty`: it lacks it, or has a null there. `known`: it surely has a
    value there that is no null and is kept without loss; `value` is it (STRING, BIGINT, DOUBLE or BOOLEAN, STRUCT,
    ARRAY or MAP, by the field's type), `column` as the table keeps it.

    An object has `members` by name, and is `alone` if it surely has no other ones, not even nulls. `within` describes
    an element of the array or a value of the map, given its column.
    """

    field: Field
    missing: Condition
    empty: Condition
    known: Condition
    value: Column
    column: Column
    members: Mapping[str, "Cell"] = dataclasses.field(default_factory=dict)
    alone: Condition = False
    within: Callable[[Column], "Cell"] | None = None


Write = Callable[[Cell, Mapping[str, Any], bool], Condition]
"""From a known value and the schema that has the keyword: when the value surely satisfies it, or (False) surely not."""


def json_type(field: Field) -> str | None:
    """Give the only JSON type beside null that the field's values have."""
    types = field.types - {"null"}
    if types == {"integer", "number"}:
        return "number"
    return next(iter(types)) if len(types) == 1 else None
