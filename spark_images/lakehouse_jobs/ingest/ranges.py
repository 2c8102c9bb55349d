"""The part of a table that a backfill is about: the rows whose cursor lies in its range, or that its input brought."""

import re
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import Field, quoted
from lakehouse_api.run import RunSpec
from lakehouse_api.target import TargetMode
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.versions import version_columns
from lakehouse_jobs.ingest.work import FilesWork, OffsetsWork, WindowWork

_RANGE: Final = "range"
_COMPARED: Final = ("timestamp", "date", "bigint", "int", "decimal", "double")

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_WITH_ZONE: Final = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def is_by_cursor(run: RunSpec) -> bool:
    """Tell whether the source is read by a cursor; files and messages are known by where they lie."""
    return run.job.source.kind in {"jdbc", "rest"}


def cursor_column(run: RunSpec) -> str:
    """Name the column of the contract that has the cursor."""
    cursor, rest = run.job.incremental.cursor if run.job.incremental else "", run.job.source.rest
    renamed = {field: name for name, field in ((rest.fields if rest else None) or {}).items()}
    return renamed.get(cursor, cursor)


def identity(run: RunSpec, contract: Contract) -> list[str]:
    """Name the columns by which a version of a row is known; none: it is not."""
    return version_columns(contract.keys, cursor_column(run))


def unfit(run: RunSpec, contract: Contract) -> str | None:
    """Tell why the table's rows of a range cannot be found."""
    backfill, names = run.job.backfill, identity(run, contract)
    if backfill and backfill.replace:
        return _not_compared(cursor_column(run), contract)
    if run.job.target.mode is TargetMode.APPEND and not (names and set(names) <= contract.names):
        return (
            "only keys tell which rows the table has. Add x-keys to the contract, and the cursor to its properties; or "
            "replace what the table has of the range (replace)"
        )
    return None


def _not_compared(cursor: str, contract: Contract) -> str | None:
    field = _field(contract, cursor)
    if field and field.ddl.lower().startswith(_COMPARED):
        return None
    return f"{cursor} is no time, date or number in the contract, so the table's rows of the range cannot be found"


def _field(contract: Contract, name: str) -> Field | None:
    return next((field for field in contract.fields if field.name == name), None)


def places(plan: Plan) -> list[str]:
    """Name the places of a range; each row of it is at one of them."""
    match plan.work:
        case FilesWork() as work:
            return [file.uri for file in work.files]
        case OffsetsWork() as work:
            return [f"{work.topic}/{each.partition}" for each in work.filled]
        case _:
            return [_RANGE]


def place_of(plan: Plan, cursor: Column | None, of: str = "") -> Column:
    """Give the place of a row of the table, or of its quarantine; NULL: it is not of the range.

    `cursor` is the row's cursor, of a type with an order; `of` is the alias of the table.
    """
    file, number = (F.col(f"{of}{name}") for name in ("_ingest_file", "_ingest_row"))
    match plan.work:
        case FilesWork():
            return F.when(file.isin(places(plan)), file)
        case OffsetsWork() as work:
            ranges = [
                (file == f"{work.topic}/{each.partition}") & number.between(each.start, each.end - 1)
                for each in work.filled
            ]
            return F.coalesce(*(F.when(each, file) for each in ranges))
        case WindowWork() as work if cursor is not None:
            return F.when(_within(work, cursor, _zone(plan)), F.lit(_RANGE))
    return F.lit(None).cast("string")


def _zone(plan: Plan) -> str | None:
    """Name the zone in which a plan's times without one are meant; the table has the moments."""
    return plan.source.jdbc.time_zone if plan.source.jdbc else None


def _within(work: WindowWork, cursor: Column, zone: str | None) -> Column:
    first, end = (_literal(bound or "", zone) for bound in (work.first, work.end or work.until))
    return (cursor >= first) & (cursor < end if work.end else cursor <= end)


def _literal(bound: str, zone: str | None) -> Column:
    if _NUMBER.fullmatch(bound):
        return F.lit(bound).cast("decimal(38,18)")
    if zone is None or "T" not in bound or _WITH_ZONE.search(bound):
        return F.lit(bound)
    return F.to_utc_timestamp(F.lit(bound).cast("timestamp"), zone)


def cursor_of_text(run: RunSpec, contract: Contract, text: str) -> Column | None:
    """Give the cursor of a row that is known as JSON text."""
    field = _field(contract, cursor_column(run))
    return member(text, field) if field else None


def cursor_of_row(run: RunSpec, contract: Contract, of: str = "") -> Column | None:
    """Give the cursor of a row of the table."""
    field = _field(contract, cursor_column(run))
    return F.col(f"{of}{quoted(field.name)}") if field else None


def member(text: str, field: Field) -> Column:
    """Give a member of a JSON text as a value of its column; NULL if it is none."""
    return F.get_json_object(text, f"$['{field.name}']").try_cast(field.ddl)
