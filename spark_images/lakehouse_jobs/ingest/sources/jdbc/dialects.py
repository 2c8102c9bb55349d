"""How databases write what this source asks, and what their drivers are told. Nothing here connects to anything."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from lakehouse_jobs.ingest.sources.jdbc.columns import Column, Kind

TAG: Final = "lakehouse-operator"
"""How the database's own views of sessions and queries name those of this source."""

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Secrets(Protocol):
    """The keys of the Secret that the source names."""

    def find(self, key: str) -> str | None:
        """Give the value of a key, or None."""

    def require(self, key: str) -> str:
        """Give the value of a key, or raise CredentialsMissing."""


@dataclass(frozen=True, kw_only=True)
class Sql:
    """One dialect.

    `session` is executed once in every connection; `clock` asks for the time, and a time without a zone is in UTC;
    `kind_of` tells what the values of a type are, by the name that the driver gives it; `exact` writes a column, by its
    quoted name, type and kind, so that the driver hands its values over exactly; `log_in` gives what the driver is told
    beside the URL.
    """

    driver: str
    session: str
    clock: str
    casts: Mapping[Kind, str]
    kind_of: Callable[[str], Kind]
    exact: Callable[[str, str, Kind], str]
    log_in: Callable[[Secrets], Mapping[str, str]]

    def column(self, name: str, column_type: str, precision: int, scale: int) -> Column:
        """Describe a column by what the driver says of it."""
        kind = self.kind_of(column_type)
        return Column(name=name, type=column_type, kind=kind, precision=precision, scale=scale)

    def selected(self, column: Column) -> str:
        """Write a column of the list of a SELECT."""
        return f"{self.exact(quoted(column.name), column.type, column.kind)} AS {quoted(column.name)}"

    def literal(self, kind: Kind, value: str) -> str:
        """Write a value of a column; raise ValueError for a number that is none."""
        if kind in {Kind.INTEGER, Kind.NUMBER}:
            if not _NUMBER.fullmatch(value):
                raise ValueError(f"{value!r} is not a number")
            return value
        cast = self.casts.get(kind)
        return f"CAST({string(value)} AS {cast})" if cast else string(value)


def quoted(name: str) -> str:
    """Write an identifier, whatever characters it has."""
    return f'"{name.replace(chr(34), chr(34) * 2)}"'


def string(value: str) -> str:
    """Write a text. Some databases take a backslash for the beginning of something else, so it is named by number."""
    parts = [f"'{part.replace(chr(39), chr(39) * 2)}'" for part in value.split("\\")]
    return " || CHR(92) || ".join(parts)
