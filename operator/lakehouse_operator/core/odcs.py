"""The Open Data Contract Standard, and how its words and those of JSON Schema correspond.

What one side cannot say is never dropped: exported, it is kept under `customProperties` and told; imported, it is told.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

API_VERSION: Final = "v3.1.0"
REST: Final = "jsonSchema"
"""The custom property that holds the keywords of JSON Schema for which ODCS has no words."""
PRESENCE: Final = "presence"
"""The custom property that tells apart what `required` of ODCS does not: a member that must be there but may be null,
and one that may be missing but not null."""
NULLABLE_BUT_THERE: Final = "RequiredAndNullable"
MISSING_BUT_NOT_NULL: Final = "OptionalAndNotNull"
UNIT: Final = "unit"
COMPATIBILITY: Final = "compatibility"
PII_CLASSES: Final = ("none", "low", "high")
BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
OPTIONS: Final = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": BOUNDS,
    "integer": BOUNDS,
    "array": ("minItems", "maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties"),
}
"""The options of each logical type that mean what the keyword of the same name means."""
TIMES: Final = {"date": "date", "timestamp": "date-time", "time": "time"}
"""Logical types that are strings of a format in JSON."""
_SHOWN: Final = 3


@dataclass
class Notes:
    """What one side says and the other cannot, by the sentence about it, with the places where it is said."""

    _places: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, place: str, sentence: str) -> None:
        """Take note of one place."""
        self._places[sentence].append(place or "the contract")

    def __iter__(self) -> Any:
        """Give one line for each sentence."""
        return iter([f"{_listed(places)}: {sentence}" for sentence, places in self._places.items()])


def _listed(places: list[str]) -> str:
    more = len(places) - _SHOWN
    return ", ".join(places[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def custom(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Give `customProperties` with what is not None; nothing if that is all."""
    found = [{"property": name, "value": value} for name, value in values if value is not None]
    return {"customProperties": found} if found else {}
