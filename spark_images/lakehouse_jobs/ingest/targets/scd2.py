"""The history of each key: one row for each state, with the span of the sequence in which it held.

A state that the source merely repeats makes no row; when it was repeated is kept, for a change that comes late may lie
between. So the rows of a key are always those that all its changes make, in whatever order they came: a batch makes
them anew from what the table has of the keys it names.
"""

from functools import reduce
from operator import and_
from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_jobs.ingest.tables import Commit, Creation, Table
from lakehouse_jobs.ingest.targets.changes import (
    CONFIRMED,
    CURRENT,
    DELETED,
    SEQUENCE,
    VALID_FROM,
    VALID_TO,
    Changes,
)
from lakehouse_jobs.ingest.targets.columns import all_of, column, same

_GONE: Final = "_ingest_gone"
_PLACE: Final = "_ingest_place"
_ROW: Final = "_ingest_state"
_STATE: Final = "_ingest_content"
_RUN: Final = "_ingest_span"
_TIMES: Final = "_ingest_times"


def bring_up_to_date(table: Table, how: Changes, rows: DataFrame, commit: Commit, creation: Creation) -> None:
    """Bring changes into the histories of their keys."""
    if table.version() is None:
        table.append(histories(how, rows), commit, creation)
        return
    keys = how.merge.keys
    named = rows.select(*map(column, keys)).distinct().alias("s")
    had = table.rows().alias("t").join(named, same(keys), "left_semi")
    spans = histories(how, _as_changes(how, had).unionByName(rows, allowMissingColumns=True))
    source = _with_gone(keys, spans, had)
    gone, values = column(_GONE, of="s"), all_of(spans)
    differs = ~(_alike(VALID_TO, CURRENT, DELETED, CONFIRMED) & _same_content(how, spans))
    table.merge(
        source,
        same([*keys, VALID_FROM]),
        lambda merge: (
            merge.whenMatchedDelete(gone).whenMatchedUpdate(differs, values).whenNotMatchedInsert(~gone, values)
        ),
        commit,
    )


def histories(how: Changes, changes: DataFrame) -> DataFrame:
    """Give the rows that changes make, if they are all there are of their keys."""
    keys = [column(name) for name in how.merge.keys]
    in_order = Window.partitionBy(*keys).orderBy(SEQUENCE)
    begins = ~F.lag(_STATE).over(in_order).eqNullSafe(F.col(_STATE))
    spans = _one_at_a_time(how, changes).withColumn(_RUN, F.sum(begins.cast("int")).over(in_order))
    row = F.struct(*(column(name) for name in changes.columns if name != SEQUENCE))
    times = F.sort_array(F.collect_list(SEQUENCE))
    states = spans.groupBy(*keys, _RUN).agg(F.min_by(row, SEQUENCE).alias(_ROW), times.alias(_TIMES))
    begin = F.get(_TIMES, F.lit(0))
    end = F.lead(begin).over(Window.partitionBy(*keys).orderBy(_RUN))
    found = states.select(_ROW, _TIMES, begin.alias(VALID_FROM), end.alias(VALID_TO)).select(
        f"{_ROW}.*", VALID_FROM, VALID_TO, F.slice(_TIMES, 2, F.size(_TIMES)).alias(CONFIRMED)
    )
    return found.withColumn(CURRENT, F.col(VALID_TO).isNull() & ~F.col(DELETED))


def _one_at_a_time(how: Changes, changes: DataFrame) -> DataFrame:
    """Keep one change of each key and place in the sequence, with its state; of copies the first, which is there."""
    keys = [column(name) for name in how.merge.keys]
    state = F.struct(DELETED, how.content(changes.columns))
    order = (F.desc(_STATE), "_ingest_batch", "_ingest_file", "_ingest_row")
    place = F.row_number().over(Window.partitionBy(*keys, SEQUENCE).orderBy(*order))
    placed = changes.repartition(*keys).withColumn(_STATE, state).withColumn(_PLACE, place)
    return placed.where(F.col(_PLACE) == 1).drop(_PLACE)


def _as_changes(how: Changes, had: DataFrame) -> DataFrame:
    """Turn the rows of a history back into the changes that made them."""
    times = F.concat(F.array(VALID_FROM), F.col(CONFIRMED))
    changes = had.withColumn(SEQUENCE, F.explode(times)).drop(VALID_FROM, VALID_TO, CURRENT, CONFIRMED)
    names = how.merge.sequence_by
    for name in names:
        changes = changes.withColumn(name, F.col(SEQUENCE)[name] if len(names) > 1 else F.col(SEQUENCE))
    return changes


def _with_gone(keys: list[str], spans: DataFrame, had: DataFrame) -> DataFrame:
    """Add the rows of the table that the new histories do not have."""
    begins = [column(name) for name in (*keys, VALID_FROM)]
    old = had.select(*begins, F.lit(True).alias(_GONE))  # noqa: FBT003 (a literal)
    both = spans.withColumn(_GONE, F.lit(False)).unionByName(old, allowMissingColumns=True)  # noqa: FBT003 (a literal)
    first = F.row_number().over(Window.partitionBy(*begins).orderBy(_GONE))
    return both.withColumn(_PLACE, first).where(F.col(_PLACE) == 1).drop(_PLACE)


def _alike(*names: str) -> Column:
    return reduce(and_, (column(name, of="t").eqNullSafe(column(name, of="s")) for name in names))


def _same_content(how: Changes, spans: DataFrame) -> Column:
    return how.content(spans.columns, of="t") == how.content(spans.columns, of="s")
