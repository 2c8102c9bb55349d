"""What the catalogue is to say of a table, and what has to change for that. Values only: no service, no Spark.

Ours are the location, the columns, and the parameters by which engines know a Delta table. Whatever else an entry has
belongs to somebody else, and stays: owners, other parameters, comments of columns that the contract does not describe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lakehouse_jobs.catalog.columns import Column, split

PARAMETERS: Final[Mapping[str, str]] = {
    "EXTERNAL": "TRUE",
    "classification": "delta",
    "table_type": "DELTA",  # Athena's mark of a Delta table
    "spark.sql.sources.provider": "delta",  # Spark's, Trino's and EMR's
}
_TYPE: Final = "EXTERNAL_TABLE"
_FORMATS: Final[Mapping[str, str]] = {
    "InputFormat": "org.apache.hadoop.mapred.SequenceFileInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
}
_SERDE: Final = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
_KEPT: Final = ("Description", "Owner", "LastAccessTime", "LastAnalyzedTime", "Retention", "TableType", "Parameters")
"""What an update must repeat, because it replaces the whole entry."""

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A table as the catalogue is to show it."""

    name: str
    location: str
    columns: tuple[Column, ...]
    partitioned_by: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Create:
    """There is no entry: make it."""

    table: Document


@dataclass(frozen=True, kw_only=True)
class Update:
    """The entry is not as it is to be: replace it, if it still has this version."""

    table: Document
    version: str | None
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Keep:
    """The entry is as it is to be."""


@dataclass(frozen=True, kw_only=True)
class Refuse:
    """The name belongs to something else."""

    why: str


Step = Create | Update | Keep | Refuse


def step_for(entry: Entry, found: Document | None) -> Step:
    """Decide what to do about one entry; `found` is what Glue has under its name."""
    if found is None:
        return Create(table=_merged(entry, {}))
    if foreign := _foreign(entry, found):
        return Refuse(why=foreign)
    wanted = _merged(entry, found)
    changes = tuple(_changes(found, wanted))
    return Update(table=wanted, version=found.get("VersionId"), changes=changes) if changes else Keep()


def place(uri: str) -> str:
    """Give a location in the one form in which places are compared."""
    return f"s3://{uri.split('://', 1)[-1].rstrip('/')}"


def _foreign(entry: Entry, found: Document) -> str:
    if found.get("TargetTable"):
        return "is a link to a table of another account or database"
    location = (found.get("StorageDescriptor") or {}).get("Location") or ""
    if not location:
        return "is a view, or has no location"
    return "" if place(location) == place(entry.location) else f"lies in {location}"


def _merged(entry: Entry, found: Document) -> Document:
    """Give the entry as an update writes it: ours over what was found."""
    theirs = {each["Name"].lower(): each for each in _listed(found)}
    rows, keys = (
        [_document(column, theirs.get(column.name, {})) for column in part]
        for part in split(entry.columns, entry.partitioned_by)
    )
    kept = {name: found[name] for name in _KEPT if found.get(name) not in (None, "")}
    described = {"Description": entry.description} if entry.description else {}
    return {
        **kept,
        **described,
        "Name": entry.name,
        "TableType": _TYPE,
        "Parameters": {**found.get("Parameters", {}), **PARAMETERS},
        "PartitionKeys": keys,
        "StorageDescriptor": _storage(entry, found.get("StorageDescriptor") or {}, rows),
    }


def _storage(entry: Entry, found: Document, rows: Sequence[Document]) -> Document:
    serde = found.get("SerdeInfo") or {}
    parameters = {"serialization.format": "1", **serde.get("Parameters", {}), "path": entry.location}
    return {
        **_FORMATS,
        **found,
        "Location": entry.location,
        "Columns": rows,
        "SerdeInfo": {"SerializationLibrary": _SERDE, **serde, "Parameters": parameters},
    }


def _changes(found: Document, wanted: Document) -> list[str]:
    """Name what differs, in words for the log. Letters' case and blanks of types are Glue's to choose."""
    before, after = _columns(found), _columns(wanted)
    parts = {
        "columns": (before, after),
        "partition keys": _counts(found, wanted, "PartitionKeys"),
        "parameters": ({**found.get("Parameters", {})}, wanted["Parameters"]),
        "description": (found.get("Description") or "", wanted.get("Description") or ""),
        "type": (found.get("TableType"), wanted["TableType"]),
        "location": (_places(found), _places(wanted)),
    }
    return [name for name, (old, new) in parts.items() if old != new]


def _counts(found: Document, wanted: Document, part: str) -> tuple[int, int]:
    return len(found.get(part) or ()), len(wanted.get(part) or ())


def _places(table: Document) -> tuple[str, str]:
    """Give where an entry says that the table lies: some engines look at one place, some at the other."""
    storage = table.get("StorageDescriptor") or {}
    path = ((storage.get("SerdeInfo") or {}).get("Parameters") or {}).get("path") or ""
    return place(storage.get("Location") or ""), place(path) if path else ""


def _columns(table: Document) -> list[Column]:
    return [
        Column(
            name=each["Name"].lower(),
            type=each.get("Type", "").lower().replace(" ", ""),
            comment=each.get("Comment") or "",
        )
        for each in _listed(table)
    ]


def _listed(table: Document) -> list[Document]:
    return [*((table.get("StorageDescriptor") or {}).get("Columns") or ()), *(table.get("PartitionKeys") or ())]


def _document(column: Column, theirs: Document) -> Document:
    """Give a column over what was found of it: a comment that only somebody else has written stays."""
    comment = {"Comment": column.comment} if column.comment else {}
    return {**theirs, "Name": column.name, "Type": column.type, **comment}
