"""A history keeps every state of a key with the span in which it held, wherever a late change belongs."""

from typing import Any

import pytest

from lakehouse_jobs.ingest import batch as batches
from lakehouse_jobs.ingest.targets.merged import MergedTable
from tests.spark.changes import SILVER, kept_and_merged, merged, put
from tests.spark.lake import Lake
from tests.spark.test_targets_merge import COUNTS, cut

pytestmark = pytest.mark.spark

SPAN = ("id", "name", "_valid_from", "_valid_to", "_current", "_deleted", "_confirmed")
FIRST = ("1,Ada,1,c", "1,Ada L,5,u", "1,Ada L,7,u", "2,Bob,1,c", "2,,4,d")
LATE = ("1,Ada K,6,u", "2,Bob B,3,u", "2,Bob B,2,u", "3,,9,d", "1,Ada,1,c")
AFTER_FIRST = [
    ("1", "Ada", 1, 5, False, False, []),
    ("1", "Ada L", 5, None, True, False, [7]),
    ("2", "Bob", 1, 4, False, False, []),
    ("2", None, 4, None, False, True, []),
]
AFTER_LATE = [
    ("1", "Ada", 1, 5, False, False, []),
    ("1", "Ada L", 5, 6, False, False, []),
    ("1", "Ada K", 6, 7, False, False, []),
    ("1", "Ada L", 7, None, True, False, []),
    ("2", "Bob", 1, 2, False, False, []),
    ("2", "Bob B", 2, 4, False, False, [3]),
    ("2", None, 4, None, False, True, []),
    ("3", None, 9, None, False, True, []),
]


def spans(lake: Lake, table: str = "bronze/people") -> list[tuple[Any, ...]]:
    rows = lake.table(table).select(*SPAN, "seq").collect()
    assert all(row.seq == row._valid_from for row in rows)
    return sorted((tuple(row[: len(SPAN)]) for row in rows), key=lambda span: (span[0], span[2]))


def test_a_change_that_comes_late_is_put_where_it_belongs(lake: Lake) -> None:
    spec = merged(history="Scd2")
    put(lake, "1", *FIRST)
    lake.ingest(slot="1", **spec)
    assert spans(lake) == AFTER_FIRST
    put(lake, "2", *LATE)

    ended = lake.ingest(slot="2", **spec)

    assert spans(lake) == AFTER_LATE
    assert [ended.result.metrics[name] for name in COUNTS] == [5, 4, 2, 1]


def test_a_driver_killed_around_a_history_changes_nothing_in_the_end(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = kept_and_merged(lake, history="Scd2")
    put(lake, "1", *FIRST)
    cut(monkeypatch, lake, (batches, "_write"), spec, "1")
    lake.ingest(slot="1", attempt=2, **spec)
    put(lake, "2", *LATE)
    cut(monkeypatch, lake, (MergedTable, "bring_up_to_date"), spec, "2")

    ended = lake.ingest(slot="2", attempt=2, **spec)

    assert ended.result.reason == "AlreadyCommitted"
    assert spans(lake, SILVER) == AFTER_LATE
