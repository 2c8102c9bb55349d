"""From which fields of the source each column of a table comes, and whether its values are what was there."""

from collections.abc import Iterable, Sequence
from typing import Final

from lakehouse_api.columns import ColumnKind, Field
from lakehouse_api.ingest_pipeline import AnySource
from lakehouse_api.sources.files import FileFormat, FilesSource
from lakehouse_api.sources.jdbc import JdbcSource
from lakehouse_api.target import Merge
from lakehouse_jobs.lineage.datasets import Dataset
from lakehouse_jobs.lineage.facets import Document, facet, without_nothing

IDENTITY: Final = "IDENTITY"
TRANSFORMATION: Final = "TRANSFORMATION"
_SCALARS: Final = frozenset({ColumnKind.STRING, ColumnKind.BIGINT, ColumnKind.BOOLEAN})
_TIMES: Final = frozenset({ColumnKind.DATE, ColumnKind.TIMESTAMP, ColumnKind.LOCAL})
_OF_JSON: Final = _SCALARS | {ColumnKind.DOUBLE, ColumnKind.ARRAY, ColumnKind.MAP, ColumnKind.STRUCT}


def kept_kinds(source: AnySource) -> frozenset[ColumnKind]:
    """Name the kinds of columns into which values of a source go as they are; the others are made of them.

    What a source with types of its own has is known only where the contract leaves no choice.
    """
    if isinstance(source, FilesSource) and source.format is FileFormat.CSV:
        return frozenset({ColumnKind.STRING})
    typed = isinstance(source, JdbcSource) or (isinstance(source, FilesSource) and source.format is FileFormat.PARQUET)
    return _SCALARS | _TIMES if typed else _OF_JSON


def read_from(fields: Iterable[Field], origin: Dataset, kept: frozenset[ColumnKind]) -> Document:
    """Say that each column comes from the field of its name."""
    return {field.name: {"inputFields": [_input(origin, field.name, _change(field, kept))]} for field in fields}


def copied(names: Iterable[str], origin: Dataset, merge: Merge) -> Document:
    """Say that each column comes from the same column of another table, and what decides which rows do."""
    fields = {name: {"inputFields": [_input(origin, name, _direct(IDENTITY))]} for name in names}
    keys = [_input(origin, name, _indirect("GROUP_BY")) for name in merge.keys]
    order = [_input(origin, name, _indirect("SORT")) for name in merge.sequence_by]
    return facet("ColumnLineageDatasetFacet", fields=fields, dataset=[*keys, *order])


def made_of(column: str, names: Iterable[str], origin: Dataset, how: str) -> Document:
    """Say that one column is made of many fields."""
    change = _direct(TRANSFORMATION, how)
    return {column: {"inputFields": [_input(origin, name, change) for name in names]}}


def from_text(names: Iterable[str], column: str, origin: Dataset) -> Document:
    """Say that columns are cut out of a text."""
    change = _direct(TRANSFORMATION, f"a member of the row that {column} holds as text")
    return {name: {"inputFields": [_input(origin, column, change)]} for name in names}


def column_lineage(*parts: Document) -> Document:
    """Give the facet of what the functions above say of columns."""
    fields = {name: each for part in parts for name, each in part.items()}
    return facet("ColumnLineageDatasetFacet", fields=fields)


def as_text(names: Sequence[str], origin: Dataset) -> Document:
    """Say that columns the contract does not name are kept as text."""
    change = _direct(TRANSFORMATION, "kept as text: the contract does not name it")
    return {name: {"inputFields": [_input(origin, name, change)]} for name in names}


def _change(field: Field, kept: frozenset[ColumnKind]) -> Document:
    if field.kind in kept:
        return _direct(IDENTITY)
    return _direct(TRANSFORMATION, "kept as JSON text" if field.kind is ColumnKind.JSON else f"read as {field.ddl}")


def _direct(subtype: str, how: str | None = None) -> Document:
    return without_nothing(type="DIRECT", subtype=subtype, description=how, masking=False)


def _indirect(subtype: str) -> Document:
    return {"type": "INDIRECT", "subtype": subtype, "masking": False}


def _input(origin: Dataset, field: str, change: Document) -> Document:
    return {"namespace": origin.namespace, "name": origin.name, "field": field, "transformations": [change]}
