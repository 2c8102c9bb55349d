"""What the members that Spark's JSON reader found tell of the fields."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import ColumnKind, Field
from lakehouse_jobs.contract.cell import Cell, json_type
from lakehouse_jobs.contract.conditions import Condition, all_of
from lakehouse_jobs.contract.keywords import is_local_time, is_small
from lakehouse_jobs.contract.schema import Contract

_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_RENDERED: Final = rf"\A(?:[{{\[\"]|true\z|false\z|{_NUMBER}\z)"
"""How Spark's JSON reader renders tokens other than strings in a STRING column."""

_MEMBER: Final = r'"\s*:(?!\s*null)'
_LONG_NUMBER: Final = r"[0-9.]{17}"
_TINY_NUMBER: Final = r"[eE]-[0-9]{3}"
_CAST: Final = frozenset({ColumnKind.TIMESTAMP, ColumnKind.LOCAL, ColumnKind.DATE, ColumnKind.DECIMAL})


@dataclass(frozen=True, kw_only=True)
class _Line:
    """What is known of a row's text as a whole.

    `no_null`: it has no null. `plain`: it has no member that is not in the contract and no name twice, but for nulls.
    `brief`: no number in it has more digits than a double keeps.
    """

    no_null: Column
    plain: Condition
    brief: Column


def json_cells(contract: Contract, members: Mapping[str, Column], text: Column) -> dict[str, Cell]:
    """Describe fields by the members that Spark's JSON reader found, read as `json_column_type` says, in the text."""
    line = _Line(
        no_null=F.instr(text, "null") == 0,
        plain=_is_plain(contract, members, text),
        brief=~text.rlike(f"{_LONG_NUMBER}|{_TINY_NUMBER}"),
    )
    return {field.name: _cell(field, members[field.name], line) for field in contract.fields}


def _is_plain(contract: Contract, members: Mapping[str, Column], text: Column) -> Condition:
    """Tell whether there are as many members in the text as were found.

    In the text a quote and a colon stand at each member, and in some strings too. So there are at most as many members,
    at any depth, as the expression finds; and at least as many as the reader found that are no nulls.
    """
    inner = (each for field in contract.fields for each in field.inner())
    if not any(each.kind is ColumnKind.STRUCT for each in inner):
        return True
    found = [_count(field, members[field.name]) for field in contract.fields]
    return F.regexp_count(text, F.lit(_MEMBER)) == reduce(add, found)


def _count(field: Field, value: Column) -> Column:
    """Count the members that a value of an object's member brings, itself included."""
    within = list(_counts_within(field, value))
    return F.when(value.isNull(), 0).otherwise(reduce(add, within, F.lit(1)))


def _counts_within(field: Field, value: Column) -> Iterator[Column]:
    if field.kind is ColumnKind.STRUCT:
        yield from (_count(each, value[each.name]) for each in field.members)
    elif field.element and field.kind is ColumnKind.MAP:
        yield _sum(field.element, F.map_values(value), own=1)
    elif field.element and field.element.nested:
        yield _sum(field.element, value, own=0)


def _sum(element: Field, values: Column, *, own: int) -> Column:
    def with_next(total: Column, each: Column) -> Column:
        return total + F.when(each.isNull(), 0).otherwise(reduce(add, _counts_within(element, each), F.lit(own)))

    return F.aggregate(values, F.lit(0), with_next)


def _cell(field: Field, member: Column, line: _Line, *, optional: bool = True) -> Cell:
    if field.kind is ColumnKind.STRUCT:
        members = {each.name: _cell(each, member[each.name], line) for each in field.members}
    else:
        members = {}
    element = field.element
    return Cell(
        field=field,
        missing=member.isNull() & line.no_null if optional else False,
        empty=member.isNull(),
        known=_known(field, member, line),
        value=member,
        column=_kept(field, member),
        members=members,
        alone=all_of([line.plain, line.no_null]),
        within=(lambda each: _cell(element, each, line, optional=False)) if element else None,
    )


def _known(field: Field, member: Column, line: _Line) -> Condition:
    kind = json_type(field)
    if field.kind is ColumnKind.JSON or kind is None:
        return False
    known = member.isNotNull()
    if kind == "string":
        known = known & ~member.rlike(_RENDERED)
    if kind in {"integer", "number"}:
        known = known & is_small(member)
    if field.kind is ColumnKind.MAP:
        known = known & (F.size(F.array_distinct(F.map_keys(member))) == F.size(member))
    if field.kind is ColumnKind.DECIMAL:
        known = known & line.brief & (_kept(field, member).cast("double") == member)
    elif field.kind is ColumnKind.LOCAL:
        known = known & is_local_time(member) & _kept(field, member).isNotNull()
    elif field.kind in _CAST:
        known = known & _kept(field, member).isNotNull()
    return all_of([known, line.plain]) if field.kind is ColumnKind.STRUCT else known


def _kept(field: Field, member: Column) -> Column:
    """A double of fewer than 16 digits is the very decimal it was written as, so the cast loses nothing."""
    return member.try_cast(field.ddl) if any(each.kind in _CAST for each in field.inner()) else member
