"""What the members that Spark's JSON reader found tell of the fields."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add, or_
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import ColumnKind, Field
from lakehouse_jobs.contract.cell import Cell, json_type
from lakehouse_jobs.contract.conditions import Condition, all_of
from lakehouse_jobs.contract.keywords import is_local_time, is_small
from lakehouse_jobs.contract.schema import Contract

_NUMBER: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_RENDERED: Final = rf"\A(?:[{{\[\"]|true\z|false\z|{_NUMBER}\z)"
"""How Spark's JSON reader renders tokens other than strings in a STRING column."""

_RANGES_OF_TEXT: Final = (("A", "["), ("a", "f"), ("g", "t"), ("u", "{"))
"""Where strings lie that begin as no other token does; to compare costs less than to match."""

_MEMBER: Final = r'"\s*:(?!\s*null)'
_SPACED: Final = (" :", "\t:", "\n:", "\r:")
_LONG_NUMBER: Final = r"[0-9.]{17}|[0-9]{16}"
_TINY_NUMBER: Final = r"[eE]-[0-9]{3}"
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
_CAST: Final = frozenset({ColumnKind.TIMESTAMP, ColumnKind.LOCAL, ColumnKind.DATE, ColumnKind.DECIMAL})


@dataclass(frozen=True, kw_only=True)
class _Line:
    """What is known of a row's text as a whole.

    `no_null`: it has no null. `no_escape`: no character of a name is written as its number. `plain`: it has no member
    that is not in the contract and no name twice, but for nulls. `brief`: no number in it has more digits than a double
    keeps.
    """

    text: Column
    no_null: Column
    no_escape: Column
    plain: Condition
    brief: Column


def json_cells(contract: Contract, members: Mapping[str, Column], text: Column) -> dict[str, Cell]:
    """Describe fields by the members that Spark's JSON reader found, read as `json_column_type` says, in the text."""
    line = _Line(
        text=text,
        no_null=F.instr(text, "null") == 0,
        no_escape=F.instr(text, "\\u") == 0,
        plain=is_plain(contract, members, text) if _has_structs(contract) else True,
        brief=~text.rlike(f"{_LONG_NUMBER}|{_TINY_NUMBER}"),
    )
    return {field.name: _cell(field, members[field.name], line) for field in contract.fields}


def is_plain(contract: Contract, members: Mapping[str, Column], text: Column) -> Column:
    """Tell whether there are surely no members in the text, at any depth, but those that were found, and nulls.

    In the text a quote and a colon stand at each member, and in some strings too. So there are at most as many members
    as are counted there; and at least as many as the reader found that are no nulls.
    """
    return _at_most(text) == reduce(add, (_count(field, members[field.name]) for field in contract.fields))


def _has_structs(contract: Contract) -> bool:
    return any(each.kind is ColumnKind.STRUCT for field in contract.fields for each in field.inner())


def _at_most(text: Column) -> Column:
    """Count where members other than nulls can be; if no colon stands apart, without an expression."""
    apart = reduce(or_, (F.contains(text, F.lit(each)) for each in _SPACED))
    quick = _occurrences(text, '":') - _occurrences(text, '":null') - _occurrences(text, '": null')
    return F.when(apart, F.regexp_count(text, F.lit(_MEMBER))).otherwise(quick)


def _occurrences(text: Column, part: str) -> Column:
    rest = F.octet_length(F.replace(text, F.lit(part), F.lit("")))
    return ((F.octet_length(text) - rest) / len(part)).cast("int")


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
        missing=member.isNull() & _has_no_null(field.name, line) if optional else False,
        empty=member.isNull(),
        known=_known(field, member, line),
        value=member,
        column=_kept(field, member),
        members=members,
        alone=all_of([line.plain, line.no_null]),
        within=(lambda each: _cell(element, each, line, optional=False)) if element else None,
    )


def _has_no_null(name: str, line: _Line) -> Column:
    """Tell whether there is surely no null of that name, at any depth."""
    if not _PLAIN_NAME.fullmatch(name):
        return line.no_null
    return line.no_null | (line.no_escape & ~line.text.rlike(rf'"{re.escape(name)}"\s*:\s*null'))


def _known(field: Field, member: Column, line: _Line) -> Condition:
    kind = json_type(field)
    if field.kind is ColumnKind.JSON or kind is None:
        return False
    known = member.isNotNull()
    if kind == "string":
        known = known & _is_text(member)
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


def _is_text(member: Column) -> Column:
    within = ((member >= first) & (member < end) for first, end in _RANGES_OF_TEXT)
    return reduce(or_, within) | ~member.rlike(_RENDERED)


def _kept(field: Field, member: Column) -> Column:
    """A double of fewer than 16 digits is the very decimal it was written as, so the cast loses nothing."""
    return member.try_cast(field.ddl) if any(each.kind in _CAST for each in field.inner()) else member
