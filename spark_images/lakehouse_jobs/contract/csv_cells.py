"""What the text of a CSV cell tells of a field."""

from collections.abc import Mapping
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import ColumnKind, Field
from lakehouse_jobs.contract.cell import Cell, json_type
from lakehouse_jobs.contract.keywords import is_local_time
from lakehouse_jobs.contract.schema import Contract

_INTEGER: Final = r"\A-?(?:0|[1-9][0-9]{0,14})\z"
_NUMBER: Final = r"\A-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?\z"
_CAST: Final = frozenset({ColumnKind.TIMESTAMP, ColumnKind.LOCAL, ColumnKind.DATE, ColumnKind.DECIMAL})


def csv_cells(contract: Contract, texts: Mapping[str, Column]) -> dict[str, Cell]:
    """Describe fields by the text of their CSV cells, which is NULL or empty where there is none."""
    return {field.name: _cell(field, texts.get(field.name, F.lit(None).cast("string"))) for field in contract.fields}


def _cell(field: Field, text: Column) -> Cell:
    absent = F.coalesce(text, F.lit("")) == ""
    known, value = _known(field, text, absent)
    if known is None:
        nothing = F.lit(None).cast(field.ddl)
        return Cell(field=field, missing=absent, empty=absent, known=False, value=nothing, column=nothing)
    column = text.try_cast(field.ddl) if field.kind in _CAST else value
    if field.kind in _CAST:
        known = known & column.isNotNull()
    if field.kind is ColumnKind.LOCAL:
        known = known & is_local_time(text)
    return Cell(field=field, missing=absent, empty=absent, known=known, value=value, column=column)


def _known(field: Field, text: Column, absent: Column) -> tuple[Column | None, Column]:
    kind = json_type(field)
    if kind == "integer":
        return text.rlike(_digits(field) or _INTEGER), text.try_cast("bigint")
    if kind == "number":
        return text.rlike(_digits(field) or _NUMBER), text.try_cast("double")
    if kind == "boolean":
        return text.isin("true", "false"), text == "true"
    return (~absent, text) if kind == "string" else (None, text)


def _digits(field: Field) -> str | None:
    """Give the expression of the numbers that a decimal column holds, if it is one."""
    if field.kind is not ColumnKind.DECIMAL:
        return None
    precision, scale = field.scale
    fraction = rf"(?:\.[0-9]{{1,{scale}}})?" if scale and json_type(field) == "number" else ""
    digits = min(precision - scale, 15)
    whole = rf"(?:0|[1-9][0-9]{{0,{digits - 1}}})" if digits else "0"
    return rf"\A-?{whole}{fraction}\z"
