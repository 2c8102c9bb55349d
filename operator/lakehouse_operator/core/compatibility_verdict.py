"""What comparing two versions of a contract tells."""

import json
from enum import StrEnum
from typing import Any

from lakehouse_api.data_contract import Compatibility
from lakehouse_api.model import Model

_LONGEST_ROW = 240
_MOST_CHANGES = 3


class Promise(StrEnum):
    """What the users of a contract rely on. Backward keeps the first two, Full all three."""

    ROWS = "rows"
    """A row that was valid stays valid."""
    COLUMNS = "columns"
    """What queries read stays: each column with its type, its unit, and the keys."""
    VALUES = "values"
    """A row that is valid would have been valid before: nobody meets values that were ruled out."""


PROMISES = {
    Compatibility.BACKWARD: frozenset({Promise.ROWS, Promise.COLUMNS}),
    Compatibility.FULL: frozenset(Promise),
    Compatibility.NONE: frozenset[Promise](),
}


class Direction(StrEnum):
    """Whether a change allows less or more than before."""

    TIGHTENS = "tightens"
    LOOSENS = "loosens"
    BOTH = "both"
    NEITHER = "neither"
    UNKNOWN = "unknown"


class Change(Model):
    """One difference between two schemas; `path` is a JSON Pointer into a row, `/tags/*` being every item of tags."""

    path: str
    kind: str
    direction: Direction
    explanation: str
    breaks: tuple[Promise, ...] = ()


class Example(Model):
    """A row that one version allows and the other refuses, checked with the validator that defines contracts."""

    promise: Promise
    row: Any
    reasons: tuple[str, ...]
    """What the version that refuses the row says of it."""
    members: tuple[str, ...] = ()
    """The members that the reasons are about."""

    @property
    def text(self) -> str:
        """Give the row on one line; of a long one only the members that matter."""
        whole = json.dumps(self.row, ensure_ascii=False)
        if len(whole) <= _LONGEST_ROW or not isinstance(self.row, dict):
            return _cut(whole)
        parts = [f"{json.dumps(name)}: {json.dumps(self.row[name], ensure_ascii=False)}" for name in self._shown]
        return _cut("{" + ", ".join([*parts, "…"]) + "}")

    @property
    def _shown(self) -> list[str]:
        return [name for name in self.members if name in self.row]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_ROW else f"{text[:_LONGEST_ROW]}…"


class Outcome(StrEnum):
    """Whether the new version keeps what the mode promises."""

    COMPATIBLE = "Compatible"
    BREAKING = "Breaking"
    UNKNOWN = "Unknown"


class Verdict(Model):
    """How the new version of a contract stands to the old one, under one mode."""

    mode: Compatibility
    outcome: Outcome
    broken: tuple[Promise, ...] = ()
    unproven: tuple[Promise, ...] = ()
    """Promises that could neither be proven nor refuted."""
    changes: tuple[Change, ...] = ()
    example: Example | None = None
    note: str = ""
    """Why it could not be told, if that is known."""

    @property
    def guilty(self) -> tuple[Change, ...]:
        """Give the changes that break, or may break, what the mode promises."""
        at_stake = {*self.broken, *self.unproven}
        return tuple(change for change in self.changes if at_stake.intersection(change.breaks))

    @property
    def harmless(self) -> tuple[Change, ...]:
        """Give the other changes."""
        guilty = self.guilty
        return tuple(change for change in self.changes if change not in guilty)

    @property
    def summary(self) -> str:
        """Say in a sentence or two what is wrong, with the example."""
        named = "; ".join(f"{change.path or 'the row'}: {change.explanation}" for change in self.guilty[:_MOST_CHANGES])
        more = f"; and {len(self.guilty) - _MOST_CHANGES} more" if len(self.guilty) > _MOST_CHANGES else ""
        told = (f"{named}{more}." if named else "", self._told_by_example, self.note)
        return " ".join(part for part in told if part)

    @property
    def _told_by_example(self) -> str:
        if self.example is None:
            return ""
        was_valid = self.example.promise is Promise.ROWS
        ends = "is valid now and would be refused" if was_valid else "would become valid and was ruled out so far"
        return f"For example, the row {self.example.text} {ends}: {_cut('; '.join(self.example.reasons))}."
