"""How a source that can be asked for a range is read: only what is new since the last batch."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from lakehouse_api.model import Model
from lakehouse_api.quantities import Duration


class Incremental(Model):
    """Read rows by a cursor: a column or field that grows with every change."""

    cursor: Annotated[str, Field(min_length=1, max_length=255, description="Such as LastModifiedDate.")]
    lookback: Annotated[
        Duration,
        Field(
            description="Rows that appear this late behind the cursor are read still; what was read before is known "
            "by its key and cursor, or absorbed by a merge.",
        ),
    ] = timedelta(0)
