"""The Delta table that receives the rows, and how they reach it."""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from lakehouse_api.model import Model, rules

TABLE: Final = r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"
_NO_QUARANTINE: Final = rules(
    ("!self.endsWith('__quarantine')", "names that end in __quarantine belong to the quarantine of a table")
)
_SET: Final[dict[str, Any]] = {"x-kubernetes-list-type": "set"}

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
    OVERWRITE = "Overwrite"


class Overwrite(Model):
    """Which rows of the table a batch replaces."""

    by: Annotated[
        list[ColumnName],
        Field(
            min_length=1,
            max_length=8,
            description="The batch replaces the rows that have its values in these columns, such as a date.",
            json_schema_extra=_SET,
        ),
    ]


class Target(Model):
    """The Delta table that receives the rows."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("!has(self.overwrite) || self.mode == 'Overwrite'", "target.overwrite goes with mode: Overwrite"),
        )
    )

    table: TableName
    mode: TargetMode = TargetMode.APPEND
    overwrite: Annotated[
        Overwrite | None, Field(description="Of mode Overwrite; absent: a batch replaces the whole table.")
    ] = None
    partition_by: Annotated[
        list[ColumnName],
        Field(max_length=8, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
    ] = []
    properties: Annotated[
        dict[str, Annotated[str, Field(max_length=1024)]],
        Field(max_length=50, description="Table properties, set when the table is created."),
    ] = {}
