"""Columns by name, whatever characters that has; in a merge `t` is the table and `s` what is merged into it."""

from collections.abc import Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.columns import quoted


def column(name: str, *, of: str | None = None) -> Column:
    """Give a column, of one side of a merge if there are two."""
    return F.col(f"{of}.{quoted(name)}" if of else quoted(name))


def same(names: Sequence[str]) -> Column:
    """Tell whether both sides of a merge have the same values in columns that are never NULL."""
    return reduce(and_, (column(name, of="t") == column(name, of="s") for name in names))


def all_of(changes: DataFrame) -> dict[str, str | Column]:
    """Take every column from what is merged; columns that only the table has stay as they are."""
    return {quoted(name): column(name, of="s") for name in changes.columns}
