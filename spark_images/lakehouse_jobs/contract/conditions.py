"""Conditions on rows, of which those that hold for all rows or for none are known before any row is read."""

from collections.abc import Callable, Iterable, Sequence
from operator import and_, or_

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

Condition = Column | bool
"""True or False for all rows, or a column, whose NULL counts as false."""


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Give the condition that all hold; of none, True."""
    every = list(conditions)
    if any(each is False for each in every):
        return False
    columns = [each for each in every if not isinstance(each, bool)]
    return _joined(and_, columns) if columns else True


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Give the condition that one holds at least; of none, False."""
    every = list(conditions)
    if any(each is True for each in every):
        return True
    columns = [each for each in every if not isinstance(each, bool)]
    return _joined(or_, columns) if columns else False


def _joined(join: Callable[[Column, Column], Column], columns: Sequence[Column]) -> Column:
    """Join by halves: Spark walks through expressions recursively, and a chain of a thousand overflows its stack."""
    middle = len(columns) // 2
    return join(_joined(join, columns[:middle]), _joined(join, columns[middle:])) if middle else columns[0]


def exactly(condition: Condition, *, holds: bool) -> Condition:
    """Give a condition that is known both ways: itself, or that it does not hold."""
    if isinstance(condition, bool):
        return condition is holds
    return condition if holds else ~condition


def as_column(condition: Condition) -> Column:
    """Give a column, which may be NULL where the condition does not hold."""
    return F.lit(condition) if isinstance(condition, bool) else condition
