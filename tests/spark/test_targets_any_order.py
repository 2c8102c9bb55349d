"""Any order, repetition and batching of the same changes gives the same table; hundreds of keys at once, in one."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

import pytest
from pyspark.sql import DataFrame

from lakehouse_api.target import History, Merge
from lakehouse_jobs.contract.schema import read_contract
from lakehouse_jobs.ingest.landing import Landing
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.ingest.tables import PROVENANCE, Commit, Creation, Table
from lakehouse_jobs.ingest.targets.merged import MergedTable
from lakehouse_jobs.storage import Storage
from tests.spark.lake import NOW, Lake

pytestmark = pytest.mark.spark

SEED = 20261124
SCENARIOS, DELIVERIES, BATCHES = 150, 3, 4
VALUES = (None, "a", "b")
CONTRACT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "way": {"type": "integer"},
        "id": {"type": "integer"},
        "seq": {"type": "integer"},
        "value": {"type": "string"},
        "op": {"type": "string"},
    },
}


class Change(NamedTuple):
    """One change of a key: its place in the sequence, the new value, and c or d."""

    seq: int
    value: str | None
    op: str


Order = Mapping[tuple[str | None, str], int]
Span = tuple[int, int | None, bool, str | None, list[int]]


def model(changes: Sequence[Change], order: Order) -> list[Span]:
    """Say which states a key has, from when until when, and when they were repeated."""
    at: dict[int, tuple[bool, int, str | None]] = {}
    for seq, value, op in changes:
        state = (op == "d", order[value, op], value)
        at[seq] = max(at.get(seq, state), state)
    spans: list[tuple[int, tuple[bool, int, str | None], list[int]]] = []
    for seq in sorted(at):
        if spans and spans[-1][1] == at[seq]:
            spans[-1][2].append(seq)
        else:
            spans.append((seq, at[seq], []))
    ends = [seq for seq, _, _ in spans[1:]]
    return [
        (seq, end, deleted, value, repeated)
        for (seq, (deleted, _, value), repeated), end in zip(spans, [*ends, None], strict=True)
    ]


def scenarios(random: Random) -> list[list[Change]]:
    def change() -> Change:
        return Change(seq=random.randint(1, 6), value=random.choice(VALUES), op=random.choice("cccd"))

    return [[change() for _ in range(random.randint(1, 8))] for _ in range(SCENARIOS)]


def delivered(every: Sequence[Sequence[Change]], random: Random) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Deliver each scenario in several ways: at once and in order, or shuffled, partly twice, over all batches."""
    for way in range(DELIVERIES):
        for place, changes in enumerate(every):
            again = random.sample(changes, random.randint(0, len(changes))) if way else []
            arriving = random.sample([*changes, *again], len(changes) + len(again)) if way else sorted(changes, key=str)
            for number, change in enumerate(arriving):
                batch = random.randrange(BATCHES) if way else 0
                origin = (f"run-{batch}", batch + 1, f"file-{random.randint(1, 2)}", number, None)
                yield batch, (way, place, change.seq, change.value, change.op, *origin)


def table_of(lake: Lake, history: History) -> MergedTable:
    run, storage = lake.spec(contract=CONTRACT), Storage(lake.spark)
    contract, landing = read_contract(run.job.contract), Landing(storage=storage, uri=lake.uri("landed"))
    at = Surroundings(spark=lake.spark, storage=storage, run=run, contract=contract, landing=landing, now=NOW)
    merge = Merge.model_validate(
        {"keys": ["way", "id"], "sequenceBy": ["seq"], "deletes": {"when": "op = 'd'"}, "history": history}
    )
    return MergedTable(at=at, table=Table(lake.spark, lake.uri("t")), merge=merge, creation=Creation(properties={}))


def rows_of(lake: Lake, merged: MergedTable, rows: Sequence[tuple[Any, ...]]) -> DataFrame:
    return lake.spark.createDataFrame(list(rows), merged.changes.row)


def order_of(lake: Lake, merged: MergedTable) -> Order:
    """Learn which of two contents counts where changes have the same place; it is arbitrary, but always the same."""
    contents = [(value, op) for value in VALUES for op in "cd"]
    rows = rows_of(lake, merged, [(0, 0, 0, *each, *[None] * len(PROVENANCE)) for each in contents])
    found = rows.select("value", "op", merged.changes.content(rows.columns).alias("hash")).collect()
    return {(row.value, row.op): row.hash for row in found}


@pytest.mark.parametrize("history", list(History))
def test_any_order_repetition_and_batching_of_the_same_changes_gives_the_same_table(
    lake: Lake, history: History
) -> None:
    random = Random(SEED)
    every = scenarios(random)
    merged = table_of(lake, history)
    arrivals = list(delivered(every, random))
    order = order_of(lake, merged)

    for batch in range(BATCHES):
        rows = rows_of(lake, merged, [row for number, row in arrivals if number == batch])
        merged.bring_up_to_date(rows, Commit(app="test", batch=batch, metadata=f"{batch}"))

    expected = {place: model(changes, order) for place, changes in enumerate(every)}
    if history is History.SCD2:
        assert spans_in(merged) == {(way, place): expected[place] for way in range(DELIVERIES) for place in expected}
        assert merged.table.rows().where("_current != (_valid_to IS NULL AND NOT _deleted)").count() == 0
    else:
        newest = {place: newest_of(spans) for place, spans in expected.items()}
        assert newest_in(merged) == {(way, place): newest[place] for way in range(DELIVERIES) for place in newest}


def newest_of(spans: Sequence[Span]) -> tuple[int, bool, str | None]:
    begin, _, deleted, value, repeated = spans[-1]
    return (repeated[-1] if repeated else begin), deleted, value


def newest_in(merged: MergedTable) -> dict[tuple[int, int], tuple[int, bool, str | None]]:
    rows = merged.table.rows().collect()
    assert len({(row.way, row.id) for row in rows}) == len(rows)
    return {(row.way, row.id): (row._sequence, row._deleted, row.value) for row in rows}


def spans_in(merged: MergedTable) -> dict[tuple[int, int], list[Span]]:
    found: dict[tuple[int, int], list[Span]] = {}
    for row in merged.table.rows().orderBy("_valid_from").collect():
        assert row.seq == row._valid_from
        span = (row._valid_from, row._valid_to, row._deleted, row.value, row._confirmed)
        found.setdefault((row.way, row.id), []).append(span)
    return found
