"""Rows whose columns have types of their own, as Parquet's and a database's, as the JSON texts of their instances.

The instance that a row stands for: NULL is a missing member (in a list it is a null); numbers and booleans are what
they are; a date is its text, a time the text in UTC, a time without a zone the text without one; structs and maps are
objects, lists arrays.
"""

from collections.abc import Mapping
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

_LOCAL: Final = "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"
_AS_JSON: Final = {"timestampFormat": f"{_LOCAL}'Z'", "timestampNTZFormat": _LOCAL, "dateFormat": "yyyy-MM-dd"}


def typed_text(columns: Mapping[str, Column]) -> Column:
    """Give the JSON text of the instance that a row stands for, from its columns by the names of their members."""
    return F.to_json(F.struct(*(column.alias(name) for name, column in columns.items())), _AS_JSON)
