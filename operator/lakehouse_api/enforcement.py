"""How a contract is enforced beyond its schema: what a drift of the source does, and what is expected of a batch."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from lakehouse_api.model import ATOMIC, Model, rules
from lakehouse_api.quantities import Duration
from lakehouse_api.target import TABLE

ColumnName = Annotated[str, Field(min_length=1, max_length=255)]
TableName = Annotated[str, Field(pattern=TABLE, max_length=128)]


class NewColumns(StrEnum):
    """What happens when the source has columns that the contract does not name."""

    FAIL = "Fail"
    QUARANTINE = "Quarantine"
    EVOLVE = "Evolve"
    IGNORE = "Ignore"


class MissingColumns(StrEnum):
    """What happens when the source lacks columns that the contract names. A table never loses a column."""

    FAIL = "Fail"
    QUARANTINE = "Quarantine"
    IGNORE = "Ignore"


class TypeChange(StrEnum):
    """What happens when values are not of the type that the contract names."""

    FAIL = "Fail"
    QUARANTINE = "Quarantine"
    EVOLVE = "Evolve"


class Drift(Model):
    """What to do when the source changes its shape. Whatever is chosen, the run says what changed."""

    new_columns: Annotated[
        NewColumns,
        Field(description="Evolve: they are added to the table as text. Quarantine: rows that have a value there."),
    ] = NewColumns.IGNORE
    missing_columns: Annotated[
        MissingColumns, Field(description="Ignore: the columns are NULL. Quarantine: the rows that lack them.")
    ] = MissingColumns.IGNORE
    type_change: Annotated[
        TypeChange,
        Field(
            description="Rows with such values are refused in any case. Fail: so is the whole batch. Evolve: a column "
            "of the table is widened when the contract's type became wider."
        ),
    ] = TypeChange.QUARANTINE


class OnViolation(StrEnum):
    """What a violated expectation does."""

    WARN = "Warn"
    QUARANTINE = "Quarantine"
    FAIL = "Fail"


class Reference(Model):
    """Values that must exist in another table. A row in which one of them is NULL refers to nothing."""

    columns: Annotated[list[ColumnName], Field(min_length=1, max_length=8, json_schema_extra=ATOMIC)]
    table: TableName
    keys: Annotated[
        list[ColumnName],
        Field(max_length=8, description="Columns of that table; absent: of the same names.", json_schema_extra=ATOMIC),
    ] = []


class RowCount(Model):
    """How many rows a batch may write."""

    model_config = ConfigDict(
        json_schema_extra=rules(("has(self.min) || has(self.max)", "rowCount needs min or max, or both"))
    )

    min: Annotated[int | None, Field(ge=0)] = None
    max: Annotated[int | None, Field(ge=0)] = None


class MaxAge(Model):
    """How old the newest value of a column may be when the run starts."""

    column: ColumnName
    age: Duration


class NullShare(Model):
    """Which share of a batch's rows may have no value in a column."""

    column: ColumnName
    max: Annotated[float, Field(ge=0, le=1)]


_KINDS: Final = ("expression", "unique", "reference", "rowCount", "maxAge", "nullShare")
_OF_ROWS: Final = ("expression", "unique", "reference")


class Expectation(Model):
    """One thing that the accepted rows of a batch must satisfy: exactly one kind of check."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                f"[{', '.join(f'has(self.{kind})' for kind in _KINDS)}].filter(kind, kind).size() == 1",
                f"an expectation needs exactly one of {', '.join(_KINDS)}",
            ),
            (
                f"self.onViolation != 'Quarantine' || {' || '.join(f'has(self.{kind})' for kind in _OF_ROWS)}",
                f"only rows can be quarantined: Quarantine goes with {', '.join(_OF_ROWS)}",
            ),
        )
    )

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    expression: Annotated[
        str | None,
        Field(min_length=1, max_length=2048, description="A condition in Spark SQL over the contract's columns."),
    ] = None
    unique: Annotated[
        list[ColumnName] | None,
        Field(
            min_length=1,
            max_length=8,
            description="Columns whose values, taken together, occur once in a batch. The first row counts.",
            json_schema_extra=ATOMIC,
        ),
    ] = None
    reference: Reference | None = None
    row_count: RowCount | None = None
    max_age: MaxAge | None = None
    null_share: NullShare | None = None
    on_violation: OnViolation = OnViolation.WARN

    @property
    def of_rows(self) -> bool:
        """Tell whether single rows can violate it."""
        return any(check is not None for check in (self.expression, self.unique, self.reference))


class ExpectationOutcome(StrEnum):
    """How an expectation fared in a batch."""

    MET = "Met"
    WARNED = "Warned"
    QUARANTINED = "Quarantined"


class ExpectationResult(Model):
    """How an expectation fared: the rows that violate it, or what was found instead."""

    name: str
    outcome: ExpectationOutcome
    rows: Annotated[int | None, Field(description="Rows that violate it.")] = None
    found: Annotated[str | None, Field(description="What the batch has, where it is judged as a whole.")] = None
