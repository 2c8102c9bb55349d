"""A slot is one reason to run: a minute of the schedule, a run-now token, a spec, or a slice of a backfill."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from lakehouse_api.annotations import TENDING
from lakehouse_operator.core.instants import format_time, parse_time
from lakehouse_operator.core.names import digest

_RUN_NOW = "run-now:"
_SPEC = "spec:"
_BACKFILL = "backfill:"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A slot by the text that status and people see; it names its runs."""

    text: str

    @classmethod
    def scheduled(cls, instant: datetime) -> Self:
        """Give the slot of a minute of the schedule."""
        return cls(text=format_time(instant))

    @classmethod
    def run_now(cls, token: str) -> Self:
        """Give the slot that a person asked for."""
        return cls(text=_RUN_NOW + token)

    @classmethod
    def of_spec(cls, spec_hash: str) -> Self:
        """Give the slot of a resource without a schedule: one for each change of its spec."""
        return cls(text=_SPEC + spec_hash)

    @classmethod
    def of_slice(cls, backfill: str, number: int) -> Self:
        """Give the slot of a slice of a backfill, the first being 1."""
        return cls(text=f"{_BACKFILL}{backfill}/{number}")

    @property
    def slice_(self) -> tuple[str, int] | None:
        """The backfill and the number of the slice that is read again."""
        if not self.text.startswith(_BACKFILL):
            return None
        backfill, _, number = self.text.removeprefix(_BACKFILL).rpartition("/")
        return backfill, int(number)

    @property
    def reads_new(self) -> bool:
        """Tell whether the run reads what is new in the source: only then it says how new the table is."""
        return not self.tends and self.slice_ is None

    @property
    def token(self) -> str | None:
        """The run-now token, if a person asked."""
        return self.text.removeprefix(_RUN_NOW) if self.text.startswith(_RUN_NOW) else None

    @property
    def tends(self) -> bool:
        """Tell whether the run is asked to tend the quarantine; it reads nothing new."""
        return self.token is not None and self.token.startswith(TENDING)

    @property
    def spec_hash(self) -> str | None:
        """The hash of the spec, for a resource without a schedule."""
        return self.text.removeprefix(_SPEC) if self.text.startswith(_SPEC) else None

    @property
    def instant(self) -> datetime | None:
        """The minute of the schedule."""
        if self.token is not None or self.spec_hash is not None or self.slice_ is not None:
            return None
        return parse_time(self.text)

    @property
    def key(self) -> str:
        """At most 13 characters for the names of objects; scheduled slots sort by time."""
        if self.token is not None:
            return f"now-{digest(self.token, length=8)}"
        if self.spec_hash is not None:
            return f"spec-{self.spec_hash[:8]}"
        if self.slice_ is not None:
            return f"bf-{digest(self.text, length=8)}"
        return parse_time(self.text).strftime("%Y%m%d%H%M")
