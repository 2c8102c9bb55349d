"""The Delta table that receives the rows, and how they reach it."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from lakehouse_api.model import ATOMIC, SET, Model, rules

TABLE: Final = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"
_NO_QUARANTINE: Final = rules(
    ("!self.endsWith('__quarantine')", "names that end in __quarantine belong to the quarantine of a table")
)

TableName = Annotated[
    str,
    Field(
        pattern=TABLE,
        max_length=128,
        description="Logical name, such as bronze.crm_accounts.",
        json_schema_extra=_NO_QUARANTINE,
    ),
]
ColumnName = Annotated[str, Field(min_length=1, max_length=255)]


class TargetMode(StrEnum):
    """How rows reach the table."""

    APPEND = "Append"
    MERGE = "Merge"
    OVERWRITE = "Overwrite"


class Overwrite(Model):
    """Which rows of the table a batch replaces."""

    by: Annotated[
        list[ColumnName],
        Field(
            min_length=1,
            max_length=8,
            description="The batch replaces the rows that have its values in these columns, such as a date.",
            json_schema_extra=SET,
        ),
    ]


class History(StrEnum):
    """What a merged table keeps of a key: its newest state, or every state with the span in which it held."""

    SCD1 = "Scd1"
    SCD2 = "Scd2"


class Deletes(Model):
    """Which rows say that something was deleted."""

    when: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2048,
            description="A condition in Spark SQL over the contract's columns, such as IsDeleted or op = 'd'.",
        ),
    ]


class Merge(Model):
    """Rows as changes of what their keys name: the newest one of a key counts, in whatever order they come."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!self.sequenceBy.exists(column, column in self.keys)",
                "a key is the same in all changes of a row: merge.sequenceBy needs columns that grow with each change",
            ),
        )
    )

    keys: Annotated[
        list[ColumnName],
        Field(min_length=1, max_length=8, description="Columns that name a thing.", json_schema_extra=SET),
    ]
    sequence_by: Annotated[
        list[ColumnName],
        Field(
            min_length=1,
            max_length=8,
            description="Columns that grow with each change of a thing; the first that differs decides.",
            json_schema_extra=ATOMIC,
        ),
    ]
    deletes: Annotated[Deletes | None, Field(description="Absent: nothing is ever deleted.")] = None
    history: History = History.SCD1
    into: Annotated[
        TableName | None,
        Field(
            description="Of mode Append: the table that keeps every change is merged into this one by the same run. "
            "Logical name, such as silver.crm_accounts."
        ),
    ] = None


class Target(Model):
    """The Delta table that receives the rows."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("!has(self.overwrite) || self.mode == 'Overwrite'", "target.overwrite goes with mode: Overwrite"),
            ("self.mode != 'Merge' || has(self.merge)", "mode: Merge needs target.merge with keys and sequenceBy"),
            ("!has(self.merge) || self.mode != 'Overwrite'", "target.merge goes with mode: Merge or Append"),
            (
                "!has(self.merge) || has(self.merge.into) == (self.mode == 'Append')",
                "target.merge.into goes with mode: Append, which keeps every change; Merge merges into target.table",
            ),
            (
                "!has(self.merge) || !has(self.merge.into) || self.merge.into != self.table",
                "target.merge.into must name another table",
            ),
        )
    )

    table: TableName
    mode: TargetMode = TargetMode.APPEND
    merge: Annotated[Merge | None, Field(description="Of mode Merge, or of Append together with into.")] = None
    overwrite: Annotated[
        Overwrite | None, Field(description="Of mode Overwrite; absent: a batch replaces the whole table.")
    ] = None
    partition_by: Annotated[
        list[ColumnName],
        Field(max_length=8, json_schema_extra=ATOMIC),
    ] = []
    properties: Annotated[
        dict[str, Annotated[str, Field(max_length=1024)]],
        Field(max_length=50, description="Table properties, set when the table is created."),
    ] = {}
