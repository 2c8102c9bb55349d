"""Changes merged into a table: the newest of each key counts, deletions included, in whatever order they come."""

from collections.abc import Callable
from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from lakehouse_jobs.ingest.ledger import Books
from lakehouse_jobs.ingest.targets.merged import MergedTable
from tests.spark.changes import CONTRACT, SILVER, kept_and_merged, merged, put, state
from tests.spark.lake import Lake, lines

pytestmark = pytest.mark.spark

COUNTS = ("rowsWritten", "rowsInserted", "rowsUpdated", "rowsDeleted")
FILES = (
    ("1,Ada,1,c", "2,Bob,1,c", "3,Cy,5,c", "1,Ada L,3,u", "1,Ada K,2,u"),
    ("2,,2,d", "9,,4,d", "3,Cyril,4,u", "4,Di,1,c", "4,Di,1,c"),
    ("2,Bob late,1,u", "9,Zoe late,3,c", "1,Ada M,4,u"),
)
AFTER_TWO = [("1", "Ada L", 3, False), ("2", None, 2, True), ("3", "Cy", 5, False), ("4", "Di", 1, False)]
AFTER_TWO += [("9", None, 4, True)]
AFTER_THREE = [("1", "Ada M", 4, False), *AFTER_TWO[1:]]
TARGETS: list[Callable[[Lake], dict[str, Any]]] = [lambda _: merged(), kept_and_merged]
of_each_target = pytest.mark.parametrize("target", TARGETS, ids=["merged", "kept and merged"])


def table_of(spec: dict[str, Any]) -> str:
    return "bronze/people" if spec["target"].get("mode") else SILVER


@of_each_target
def test_the_newest_change_of_a_key_counts_and_a_deletion_leaves_a_tombstone(
    lake: Lake, target: Callable[[Lake], dict[str, Any]]
) -> None:
    spec = target(lake)
    metrics = []
    for slot, changes in enumerate(FILES[:2]):
        put(lake, str(slot), *changes)
        metrics.append([lake.ingest(slot=str(slot), **spec).result.metrics[name] for name in COUNTS])

    assert state(lake, table_of(spec)) == AFTER_TWO
    assert metrics == [[5, 3, 0, 0], [5, 2, 1, 2]], "inserted and updated rows, of which deleted ones are tombstones"
    assert lake.table().count() == (10 if table_of(spec) == SILVER else 5), "what is kept has every change"


def cut(monkeypatch: pytest.MonkeyPatch, lake: Lake, point: tuple[Any, str], spec: dict[str, Any], slot: str) -> None:
    """Run a slot whose driver is killed when it comes to a point."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*point, die)
        with pytest.raises(KeyboardInterrupt):
            lake.ingest(slot=slot, **spec)


@of_each_target
def test_a_driver_killed_at_any_commit_changes_nothing_in_the_end(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, target: Callable[[Lake], dict[str, Any]]
) -> None:
    spec = target(lake)
    cuts = ((batches, "_quarantine"), (batches, "_write"), (MergedTable, "bring_up_to_date"), (Books, "record"))
    files = ("1,Ada,1,c", "2,Bob,1,c"), ("1,,2,d",), ("1,Ada late,1,u", "2,Bo,3,u"), ("2,Bob late,2,u", "3,Cy,1,c")
    for number, (changes, point) in enumerate(zip(files, cuts, strict=True)):
        put(lake, str(number), *changes, f"x,wrong,{number}.5,c")
        cut(monkeypatch, lake, point, spec, str(number))
        ended = lake.ingest(slot=str(number), attempt=2, **spec)
        assert ended.result.metrics["rowsQuarantined"] == 1

    assert ended.result.reason == "AlreadyCommitted"
    assert [ended.result.metrics[name] for name in COUNTS] == [2, 1, 0, 0]
    assert state(lake, table_of(spec)) == [("1", None, 2, True), ("2", "Bo", 3, False), ("3", "Cy", 1, False)]
    assert len(lake.refused()) == len(files)
    if table_of(spec) == SILVER:
        assert lake.rows("_ingest_batch") == [1, 1, 2, 3, 3, 4, 4]


def test_a_merge_that_a_killed_driver_left_undone_is_done_by_the_next_slot_though_nothing_is_new(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = kept_and_merged(lake)
    put(lake, "1", "1,Ada,1,c")
    cut(monkeypatch, lake, (MergedTable, "bring_up_to_date"), spec, "1")

    ended = lake.ingest(slot="2", **spec)

    assert ended.result.reason == "NoNewFiles"
    assert state(lake, SILVER) == [("1", "Ada", 1, False)]


def test_a_merged_table_that_was_dropped_is_made_again_from_what_was_kept(lake: Lake) -> None:
    spec = kept_and_merged(lake)
    put(lake, "1", *FILES[0])
    lake.ingest(slot="1", contract=CONTRACT)
    put(lake, "2", *FILES[1])
    first = lake.ingest(slot="2", **spec)
    assert state(lake, SILVER) == AFTER_TWO, "though the first batch was kept before anything was merged"
    lake.delete(f"{SILVER}/")

    again = lake.ingest(slot="3", **spec)

    assert (again.result.reason, state(lake, SILVER)) == ("NoNewFiles", AFTER_TWO)
    assert [(each.table, each.version, each.rows) for each in first.result.tables][2] == ("silver.people", 1, 3)


def test_tables_dropped_together_with_their_plans_begin_anew_and_what_is_merged_goes_on(lake: Lake) -> None:
    spec = kept_and_merged(lake)
    put(lake, "1", *FILES[0])
    lake.ingest(slot="1", **spec)
    put(lake, "2", *FILES[1])
    lake.ingest(slot="2", **spec)
    lake.delete("bronze/people/", "source/1.csv", "source/2.csv")
    put(lake, "3", *FILES[2])

    ended = lake.ingest(slot="3", **spec)

    assert ended.result.metrics["batch"] == 1
    assert state(lake, SILVER) == AFTER_THREE


def test_rows_without_a_key_or_a_place_in_the_sequence_are_refused_with_their_reason(lake: Lake) -> None:
    put(lake, "1", "1,Ada,1,c", ",Nobody,2,c", "2,Bob,,c", ",Neither,,c")

    ended = lake.ingest(**merged())

    assert state(lake) == [("1", "Ada", 1, False)]
    assert [(row, *reasons) for row, reasons in lake.refused()] == [
        ('{"id":"2","name":"Bob","op":"c"}', ("/seq", "SequenceNull")),
        ('{"name":"Neither","op":"c"}', ("/id", "MergeKeyNull"), ("/seq", "SequenceNull")),
        ('{"name":"Nobody","seq":"2","op":"c"}', ("/id", "MergeKeyNull")),
    ]
    assert (ended.result.metrics["rowsWritten"], ended.result.metrics["rowsQuarantined"]) == (1, 3)
    assert ended.result.metrics["refusals"] == "/id MergeKeyNull (2), /seq SequenceNull (2)"


def test_a_sequence_of_several_columns_is_compared_from_the_first(lake: Lake) -> None:
    spec = merged(sequenceBy=["seq", "_ingest_row"], deletes={"when": "op = 'd' AND name IS NULL"})
    put(lake, "1", "1,second,7,u", "1,third,7,u", "1,first,6,d", "2,,1,d")

    lake.ingest(slot="1", **spec)

    rows = lake.table().select("id", "name", "_sequence.*", "_deleted").collect()
    assert sorted(map(tuple, rows)) == [("1", "third", 7, 2, False), ("2", None, 1, 4, True)]


def test_nothing_else_that_the_session_writes_is_taken_for_a_repetition(lake: Lake) -> None:
    for slot in "12":
        put(lake, slot, f"{slot},Ada,1,c")
        lake.ingest(slot=slot, **merged())
        rows = lake.spark.range(1)
        rows.write.format("delta").mode("append").save(lake.uri("other").replace("s3://", "s3a://"))

    assert lake.table("other").count() == 2
    assert lake.table().count() == 2


def test_two_pipelines_with_different_contracts_fill_one_merged_table(lake: Lake) -> None:
    put(lake, "1", "1,Ada,1,c", "2,Bob,4,c")
    lake.ingest(slot="1", **kept_and_merged(lake))
    narrow = {"type": "object", "properties": {"id": {"type": "string"}, "seq": {"type": "integer"}}}
    other = kept_and_merged(lake, deletes=None) | {"contract": narrow}
    other["target"] |= {"uri": lake.uri("bronze/other"), "quarantineUri": lake.uri("bronze/other__quarantine")}
    lake.put({"2.csv": lines("id,seq", "1,2", "2,3", "3,1")})

    lake.ingest(slot="2", **other)

    assert state(lake, SILVER) == [("1", "Ada", 2, False), ("2", "Bob", 4, False), ("3", None, 1, False)]


REFUSED: list[Any] = [
    pytest.param({"keys": ["id", "no"]}, "MergeColumnUnknown", "target.merge.keys: no is", id="an unknown key"),
    pytest.param({"sequenceBy": ["when"]}, "MergeColumnUnknown", "sequenceBy: when is", id="an unknown sequence"),
    pytest.param({"keys": ["tags"]}, "MergeColumnRefused", "tags has values that cannot", id="a list as key"),
    pytest.param({"deletes": {"when": "op ="}}, "DeleteConditionInvalid", "SYNTAX", id="a condition that is no SQL"),
    pytest.param({"deletes": {"when": "gone"}}, "DeleteConditionInvalid", "gone", id="a column nobody has"),
    pytest.param({"deletes": {"when": "seq"}}, "DeleteConditionInvalid", "bigint", id="a number as condition"),
    pytest.param({"deletes": {"when": "rand() > 0"}}, "DeleteConditionInvalid", "random", id="chance as condition"),
    pytest.param(
        {"deletes": {"when": "id IN (SELECT id FROM x)"}}, "DeleteConditionInvalid", "TABLE", id="a table that is not"
    ),
    pytest.param(
        {"deletes": {"when": "EXISTS (SELECT 1)"}}, "DeleteConditionInvalid", "sub-queries", id="another query"
    ),
]


@pytest.mark.parametrize(("merge", "reason", "words"), REFUSED)
def test_a_merge_that_cannot_be_is_a_wrong_spec_before_anything_is_read(
    lake: Lake, merge: dict[str, Any], reason: str, words: str
) -> None:
    tags = {"tags": {"type": "array", "items": {"type": "string"}}}
    contract = {**CONTRACT, "properties": CONTRACT["properties"] | tags}

    with pytest.raises(JobError) as caught:
        lake.ingest(**merged(**merge) | {"contract": contract})

    assert (caught.value.reason, caught.value.code) == (reason, ExitCode.SPEC_WRONG)
    assert words in caught.value.message


def test_a_condition_that_fails_on_a_row_is_a_wrong_spec_and_nothing_is_merged(lake: Lake) -> None:
    put(lake, "1", "1,Ada,0,c")

    with pytest.raises(JobError) as caught:
        lake.ingest(**merged(deletes={"when": "1 / seq > 2"}))

    assert (caught.value.reason, caught.value.code) == ("DeleteConditionInvalid", ExitCode.SPEC_WRONG)
    assert "DIVIDE_BY_ZERO" in caught.value.message
    assert not [key for key in lake.keys("bronze/people/_delta_log/") if key.endswith(".json")]


def test_a_property_named_like_a_column_of_the_merge_is_a_wrong_spec(lake: Lake) -> None:
    contract = {**CONTRACT, "properties": CONTRACT["properties"] | {"_Deleted": {"type": "boolean"}}}

    with pytest.raises(JobError) as caught:
        lake.ingest(**merged() | {"contract": contract})

    assert (caught.value.reason, "_Deleted" in caught.value.message) == ("MergeColumnRefused", True)


def test_a_table_that_was_appended_to_is_not_merged_into(lake: Lake) -> None:
    put(lake, "1", "1,Ada,1,c", "1,Ada,2,u")
    lake.ingest(slot="1", contract=CONTRACT)

    with pytest.raises(JobError) as caught:
        lake.ingest(slot="2", **merged())

    assert (caught.value.reason, caught.value.code) == ("SchemaMismatch", ExitCode.SPEC_WRONG)
    assert "_deleted boolean, _sequence bigint" in caught.value.message


def test_a_merged_table_dropped_between_slots_is_a_lost_watermark(lake: Lake) -> None:
    put(lake, "1", "1,Ada,1,c")
    lake.ingest(slot="1", **merged())
    lake.delete("bronze/people/_delta_log/")

    with pytest.raises(JobError) as caught:
        lake.ingest(slot="2", **merged())

    assert caught.value.reason == "WatermarkLost"
