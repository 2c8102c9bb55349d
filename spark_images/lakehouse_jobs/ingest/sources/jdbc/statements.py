"""The statements that a batch is planned and read by. Pure text; what goes into them is frozen in the plan."""

from collections.abc import Sequence
from dataclasses import dataclass

from lakehouse_api.sources.jdbc import JdbcSource
from lakehouse_jobs.ingest.sources.jdbc.columns import Column, Kind
from lakehouse_jobs.ingest.sources.jdbc.dialects import Sql, quoted
from lakehouse_jobs.ingest.sources.jdbc.window import PART

_ROWS = "lakehouse_rows"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Rows of which `column` is above `after`, not below `first`, not above `until`, and below `end`.

    An absent bound is none.
    """

    column: Column | None = None
    after: str | None = None
    until: str | None = None
    first: str | None = None
    end: str | None = None


@dataclass(frozen=True, kw_only=True)
class Statements:
    """The statements of one source."""

    sql: Sql
    source: JdbcSource
    snapshot: str | None = None
    """Moment whose state is read, where the database keeps states of the past."""

    @property
    def relation(self) -> str:
        """Give what stands behind FROM. A query keeps its lines, so that a comment at its end ends there."""
        if self.source.query is not None:
            return f"(\n{self.source.query}\n) AS {_ROWS}"
        name = ".".join(quoted(part) for part in parts_of(self.source.table or ""))
        if self.snapshot is None:
            return name
        return f"{name} AT(TIMESTAMP => {self.sql.literal(Kind.MOMENT, self.snapshot)})"

    def shape(self) -> str:
        """Ask for no rows, to see the columns."""
        return self._select("*", " WHERE 1 = 0")

    def rows(self, columns: Sequence[Column], bounds: Bounds, part: str | None) -> str:
        """Ask for the rows of a batch, with the column by which they are split under the name PART."""
        listed = [self.sql.selected(column) for column in columns]
        listed += [f"{quoted(part)} AS {PART}"] if part else []
        return self._select(", ".join(listed), self._where(bounds))

    def largest(self, column: Column, bounds: Bounds) -> str:
        """Ask for the largest value, as text."""
        return self._select(self._edge("max", column), self._where(bounds))

    def edges(self, column: Column, bounds: Bounds) -> str:
        """Ask for the smallest and the largest value, as text."""
        smallest, largest = self._edge("min", column), self._edge("max", column)
        return self._select(f"{smallest}, {largest}", self._where(bounds))

    def without_value(self, column: Column) -> str:
        """Ask for one row that has no value in a column."""
        return self._select("1", f" WHERE {quoted(column.name)} IS NULL LIMIT 1")

    def _select(self, listed: str, where: str) -> str:
        return f"SELECT {listed} FROM {self.relation}{where}"  # noqa: S608 (names and values are quoted by the dialect)

    def _edge(self, function: str, column: Column) -> str:
        return self.sql.exact(f"{function}({quoted(column.name)})", column.type, column.kind)

    def _where(self, bounds: Bounds) -> str:
        if bounds.column is None:
            return ""
        name, kind = quoted(bounds.column.name), bounds.column.kind
        conditions = [
            f"{name} {sign} {self.sql.literal(kind, value)}"
            for sign, value in ((">", bounds.after), (">=", bounds.first), ("<=", bounds.until), ("<", bounds.end))
            if value is not None
        ]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def parts_of(name: str) -> list[str]:
    """Cut a name of a table at its dots; a part in double quotes may hold some itself."""
    parts: list[str] = [""]
    inside = False
    for character in name:
        if character == '"':
            inside = not inside
        elif character == "." and not inside:
            parts.append("")
        else:
            parts[-1] += character
    return parts
