"""The changes of a keyword, and whether they tighten or loosen: a table, for the keywords whose values tell it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lakehouse_operator.core.compatibility_verdict import Direction

ABSENT: Final = object()
"""The value of a keyword that is not there. Every keyword demands more than none."""

LOWER_BOUNDS: Final = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties", "minContains")
UPPER_BOUNDS: Final = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties", "maxContains")
MEANINGS: Final = ("x-keys", "x-unit")
"""Annotations without which nobody reads a value right."""
NOTES: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
    | {"contentEncoding", "contentMediaType", "contentSchema"}
)
SILENT: Final = frozenset(
    {"$schema", "$id", "$anchor", "$dynamicAnchor", "$comment", "$vocabulary", "$defs", "definitions"}
)
"""Keywords that say nothing by themselves; definitions count where they are referred to."""
WALKED: Final = frozenset({"type", "properties", "required", "items", "enum", "x-spark-type"})
"""Keywords that compatibility_changes.py looks into."""
GROUPS: Final = (
    ("if", "then", "else"),
    ("contains", "minContains", "maxContains"),
    ("prefixItems", "items", "unevaluatedItems"),
    ("properties", "patternProperties", "additionalProperties", "unevaluatedProperties"),
)
"""Keywords that mean something only together."""

_WORDS: Final = {Direction.TIGHTENS: ("Raised", "Lowered"), Direction.LOOSENS: ("Lowered", "Raised")}


def kind_of(keyword: str, old: Any, new: Any, direction: Direction) -> str:
    """Name a change, such as MaxLengthLowered."""
    name = keyword.removeprefix("$")
    name = name[0].upper() + name[1:]
    if old is ABSENT or new is ABSENT:
        return f"{name}{'Added' if old is ABSENT else 'Removed'}"
    if direction in _WORDS and keyword in (*LOWER_BOUNDS, *UPPER_BOUNDS):
        up, down = _WORDS[direction]
        return f"{name}{up if keyword in LOWER_BOUNDS else down}"
    return f"{name}Changed"


def direction_of(keyword: str, old: Any, new: Any) -> Direction:
    """Tell what the change of a keyword's value does; UNKNOWN if the values alone do not tell."""
    if keyword == "minContains":  # the only keyword that demands more when it is not there
        old, new = (1 if value is ABSENT else value for value in (old, new))
    if old is ABSENT or new is ABSENT:
        return Direction.TIGHTENS if old is ABSENT else Direction.LOOSENS
    rule = _RULES.get(keyword)
    return rule(old, new) if rule else Direction.UNKNOWN


def _raised(old: float, new: float) -> Direction:
    return Direction.NEITHER if new == old else Direction.TIGHTENS if new > old else Direction.LOOSENS


def _lowered(old: float, new: float) -> Direction:
    return Direction.NEITHER if new == old else Direction.TIGHTENS if new < old else Direction.LOOSENS


def _turned_on(_: bool, new: bool) -> Direction:  # noqa: FBT001  # the keyword's values
    return Direction.TIGHTENS if new else Direction.LOOSENS


def _other_constant(_: Any, __: Any) -> Direction:
    return Direction.BOTH


def _other_factor(old: float, new: float) -> Direction:
    """Every multiple of 6 is one of 3. Only whole numbers are told apart without rounding."""
    if not float(old).is_integer() or not float(new).is_integer():
        return Direction.UNKNOWN
    if new % old == 0:
        return Direction.TIGHTENS
    return Direction.LOOSENS if old % new == 0 else Direction.BOTH


_RULES: Final[Mapping[str, Callable[[Any, Any], Direction]]] = {
    **dict.fromkeys(LOWER_BOUNDS, _raised),
    **dict.fromkeys(UPPER_BOUNDS, _lowered),
    "uniqueItems": _turned_on,
    "const": _other_constant,
    "multipleOf": _other_factor,
}
