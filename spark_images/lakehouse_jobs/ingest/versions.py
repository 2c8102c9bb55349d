"""By which columns one version of a row is known, wherever rows are read again."""

from collections.abc import Sequence


def version_columns(keys: Sequence[str], cursor: str | None) -> list[str]:
    """Name the columns in which two versions of rows are never the same: the keys, and the cursor as the last.

    None where there are no keys: the cursor alone would name all rows of its moment.
    """
    return [*(key for key in keys if key != cursor), cursor] if keys and cursor else []
