"""Quarantined rows reach the table once the contract takes them, each once; a discarded one never does."""

import json
from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from lakehouse_jobs.ingest.job import Ended
from tests.spark.changes import CONTRACT, merged, put, state
from tests.spark.lake import PEOPLE, Lake, lines

pytestmark = pytest.mark.spark

QUARANTINE = "bronze/people__quarantine"
WIDER: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "name": {"type": "string"}, "email": {"type": "string"}},
}


def asked(lake: Lake, verb: str, slot: str, attempt: int = 1, **changes: Any) -> Ended:
    rows = changes.pop("rows", {})
    request = {"verb": verb, "rows": rows} | ({"because": changes.pop("because")} if "because" in changes else {})
    return lake.ingest(slot, attempt, quarantine=request, **changes)


def statuses(lake: Lake) -> list[tuple[Any, ...]]:
    table = lake.table(QUARANTINE)
    return sorted((tuple(row) for row in table.select("row", "_status", "_status_batch").collect()), key=str)


def people_with_bad_emails(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name,email", "1,Ada,ada@x.org", "2,Bob,nowhere", "x,Cy,cy@x.org")})
    lake.ingest(slot="1")


def test_rows_that_the_contract_of_today_accepts_reach_the_table_once_and_the_rest_stays_open(lake: Lake) -> None:
    people_with_bad_emails(lake)

    first = asked(lake, "replay", "2", contract=WIDER)
    again = asked(lake, "replay", "3", contract=WIDER)
    lake.put({"b.csv": lines("id,name,email", "4,Di,di@x.org")})
    after = lake.ingest(slot="4", contract=WIDER)

    assert first.result.message.startswith("1 rows written, 1 quarantined, from 2 quarantined rows.")
    assert first.result.metrics["rowsReplayed"] == 2
    assert again.result.metrics["rowsWritten"] == 0
    assert after.result.metrics["filesRead"] == 1, "a replay changes nothing of what was read"
    source = lake.uri("source/a.csv")
    assert lake.rows("id", "_ingest_batch", "_ingest_file", "_ingest_row")[:2] == [(1, 1, source, 1), (2, 2, source, 2)]
    assert lake.rows("id") == [1, 2, 4]
    assert [(status, batch) for _, status, batch in statuses(lake)] == [("replayed", 2), (None, None)]


def test_a_driver_that_died_between_mark_and_commit_is_made_good_by_the_next_attempt(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_with_bad_emails(lake)

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_write", _die)
        with pytest.raises(KeyboardInterrupt):
            asked(lake, "replay", "2", contract=WIDER)
    assert [status for _, status, _ in statuses(lake)] == ["replayed", None]
    assert lake.rows("id") == [1]

    ended = asked(lake, "replay", "2", attempt=2, contract=WIDER)

    assert ended.result.metrics["rowsWritten"] == 1
    assert lake.rows("id", "_ingest_batch") == [(1, 1), (2, 2)]
    told = asked(lake, "replay", "2", attempt=3, contract=WIDER)
    assert (told.result.reason, told.result.metrics["rowsWritten"]) == ("AlreadyCommitted", 1)


def test_rows_of_a_replay_that_was_given_up_are_open_for_the_next_one(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_with_bad_emails(lake)
    with monkeypatch.context() as patch:
        patch.setattr(batches, "_write", _die)
        with pytest.raises(KeyboardInterrupt):
            asked(lake, "replay", "2", contract=WIDER)

    lake.put({"b.csv": lines("id,name,email", "4,Di,di@x.org")})
    lake.ingest(slot="3", contract=WIDER)
    asked(lake, "replay", "4", contract=WIDER)

    assert lake.rows("id", "_ingest_batch") == [(1, 1), (2, 4), (4, 3)]


def test_json_rows_keep_their_types_and_a_filter_chooses_among_them(lake: Lake) -> None:
    ndjson = {"uri": lake.uri("source/"), "format": "ndjson"}
    rows = ['{"id": 1, "email": "bad"}', '{"id": "2"}', '{"id": 3, "email": "worse"}', '{"id": 4,']
    lake.put({"a.ndjson": lines(*rows)})
    lake.ingest(slot="1", source=ndjson)
    any_id = {**WIDER, "properties": {**WIDER["properties"], "id": {"type": ["integer", "string"]}}}

    none = asked(lake, "replay", "2", source=ndjson, contract=WIDER, rows={"path": "/name"})
    some = asked(lake, "replay", "3", source=ndjson, contract=WIDER, rows={"path": "/email", "keyword": "format"})

    assert none.result.reason == "NothingToReplay"
    assert some.result.metrics["rowsReplayed"] == 2
    assert lake.rows("id") == [1, 3]
    with pytest.raises(JobError) as caught:
        asked(lake, "replay", "4", source=ndjson, contract=any_id)
    assert (caught.value.reason, caught.value.code) == ("SchemaMismatch", ExitCode.SPEC_WRONG)


def test_a_row_that_its_reader_found_broken_is_never_replayed(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name", "1,Ada", "2,Bob,too much")})
    lake.ingest(slot="1")

    ended = asked(lake, "replay", "2", contract={"type": "object", "properties": {"id": {"type": "integer"}}})

    assert ended.result.metrics["rowsWritten"] == 0
    assert lake.rows("id") == [1]


def test_discarded_rows_are_counted_once_and_never_replayed(lake: Lake) -> None:
    people_with_bad_emails(lake)

    first = asked(lake, "discard", "2", rows={"keyword": "format"}, because="test data")
    retry = asked(lake, "discard", "2", attempt=2, rows={"keyword": "format"}, because="test data")
    replayed = asked(lake, "replay", "3", contract=WIDER)

    assert [each.result.metrics["rowsDiscarded"] for each in (first, retry)] == [1, 1]
    assert replayed.result.metrics["rowsReplayed"] == 1, "only the other one was open"
    assert [status for _, status, _ in statuses(lake)] == ["discarded", None]
    assert [row._status_reason for row in lake.table(QUARANTINE).collect() if row._status] == ["test data"]


def test_an_inspection_counts_reasons_and_shows_no_value(lake: Lake) -> None:
    empty = asked(lake, "inspect", "0")
    people_with_bad_emails(lake)

    found = asked(lake, "inspect", "2").result

    assert empty.result.reason == "QuarantineEmpty"
    assert found.metrics["rowsOpen"] == 2
    assert {(each["path"], each["keyword"], each["rows"]) for each in json.loads(str(found.metrics["reasons"]))} == {
        ("/email", "format", 1),
        ("/id", "type", 1),
    }
    assert "nowhere" not in found.model_dump_json()


def test_a_policy_that_would_fail_a_batch_leaves_a_replayed_row_where_it_is(lake: Lake) -> None:
    people_with_bad_emails(lake)

    strict = {"newColumns": "Fail", "typeChange": "Fail"}
    expectations = [{"name": "many", "rowCount": {"min": 1000}, "onViolation": "Fail"}]
    ended = asked(lake, "replay", "2", contract=WIDER, drift=strict, expectations=expectations)

    assert (ended.result.metrics["rowsWritten"], ended.result.metrics["rowsQuarantined"]) == (1, 1)


def test_a_replayed_change_is_merged_where_its_sequence_puts_it(lake: Lake) -> None:
    strict = {**CONTRACT, "properties": {**CONTRACT["properties"], "name": {"type": "string", "maxLength": 3}}}
    put(lake, "a", "1,Ada,1,c", "1,Ada Lovelace,2,u", "2,Bobby,2,c")
    lake.ingest(slot="1", **{**merged(), "contract": strict})
    put(lake, "b", "1,Ad,3,u")
    lake.ingest(slot="2", **{**merged(), "contract": strict})

    ended = asked(lake, "replay", "3", **merged())

    assert ended.result.metrics["rowsReplayed"] == 2
    assert state(lake) == [("1", "Ad", 3, False), ("2", "Bobby", 2, False)]


def test_a_table_that_batches_replace_takes_no_replay(lake: Lake) -> None:
    with pytest.raises(JobError) as caught:
        asked(lake, "replay", "1", contract=PEOPLE, target={"mode": "Overwrite"})

    assert (caught.value.reason, caught.value.code) == ("ReplayRefused", ExitCode.SPEC_WRONG)


def _die(*_: object) -> None:
    raise KeyboardInterrupt
