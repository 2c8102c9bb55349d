"""Each file is read once, whatever happens in between; each exception to that has a name."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest import batch as batches
from lakehouse_jobs.ingest import judging
from lakehouse_jobs.ingest.job import Ended
from lakehouse_jobs.ingest.ledger import Books
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.sources.files.ledger import SUMMARY_EVERY, Ledger, summary
from lakehouse_jobs.ingest.sources.files.source import Files
from lakehouse_jobs.ingest.work import FileGroup, FilesWork, PlannedFile
from lakehouse_jobs.storage import Storage, Stored
from tests.spark.lake import PEOPLE, Lake, lines

pytestmark = pytest.mark.spark

BOOKS = "bronze/people/_ingest/crm/people"


def die_before_the_commit(lake: Lake, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Run slot 1 up to the commit to the table: its plan is open, its refused rows are in quarantine."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_write", die)
        with pytest.raises(KeyboardInterrupt):
            lake.ingest(slot="1", **changes)


def test_a_second_run_reads_only_the_new_file(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name", "1,Ada")})
    lake.ingest(slot="1")
    lake.put({"sub/b.csv": lines("id,name", "2,Bob"), "_temporary/c.csv": "x", ".hidden.csv": "x"})

    ended = lake.ingest(slot="2")

    assert (ended.result.reason, ended.result.metrics["filesRead"]) == ("Ingested", 1)
    assert lake.rows("id", "_ingest_batch", "_ingest_row") == [(1, 1, 1), (2, 2, 1)]
    assert lake.rows("_ingest_file") == [lake.uri("source/a.csv"), lake.uri("source/sub/b.csv")]


def test_a_run_that_finds_nothing_new_succeeds_and_commits_nothing(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1")})
    first = lake.ingest(slot="1")

    ended = lake.ingest(slot="2")

    assert (ended.result.outcome, ended.result.reason) == ("Succeeded", "NoNewFiles")
    assert ended.result.metrics["rowsWritten"] == 0
    assert ended.result.metrics["tableVersion"] == first.result.metrics["tableVersion"]
    assert ended.result.metrics["newestInputTime"] == first.result.metrics["newestInputTime"]


def test_a_retry_of_a_committed_slot_reports_the_committed_counts(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1", "2", "x")})
    first = lake.ingest(slot="1")
    lake.put({"b.csv": lines("id", "3")})

    retry = lake.ingest(slot="1", attempt=2)

    assert retry.result.reason == "AlreadyCommitted"
    assert retry.result.metrics == first.result.metrics
    assert retry.batches == first.batches
    assert lake.rows("id") == [1, 2]


def test_a_retry_finds_the_counts_in_the_commit_when_the_result_was_lost(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1", "2", "x")})
    first = lake.ingest(slot="1")
    lake.delete(f"{BOOKS}/1.result.json")

    retry = lake.ingest(slot="1", attempt=2)

    assert retry.batches == first.batches
    assert lake.read(f"{BOOKS}/1.result.json")["rowsWritten"] == 2


def test_a_rewritten_file_is_read_as_a_new_version_and_said_so(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1"), "b.csv": lines("id", "2")})
    lake.ingest(slot="1")
    lake.put({"a.csv": lines("id", "1", "10"), "b.csv": lines("id", "2")})

    ended = lake.ingest(slot="2")

    assert ended.result.metrics["filesRewritten"] == 1
    assert lake.uri("source/a.csv") in ended.result.message
    assert lake.rows("id", "_ingest_batch") == [(1, 1), (1, 2), (2, 1), (10, 2)]


def test_a_wanted_reread_reads_everything_once_per_token(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1")})
    lake.ingest(slot="1")

    lake.ingest(slot="2", reread="again")
    idle = lake.ingest(slot="3", reread="again")
    without = lake.ingest(slot="4")
    lake.ingest(slot="5", reread="once more")

    assert (idle.result.reason, without.result.reason) == ("NoNewFiles", "NoNewFiles")
    assert lake.rows("_ingest_batch") == [1, 2, 3]


def test_a_dropped_table_without_its_plans_starts_from_scratch(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1", "x")})
    lake.ingest(slot="1")
    lake.delete("bronze/people/")

    ended = lake.ingest(slot="2")

    assert ended.result.metrics["batch"] == 1
    assert lake.rows("id") == [1]
    assert len(lake.refused()) == 2, "the quarantine table was kept, and the new table's refusals are in it as well"


def test_a_dropped_table_whose_plans_remain_is_a_lost_watermark(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1")})
    lake.ingest(slot="1")
    lake.delete("bronze/people/_delta_log/")

    with pytest.raises(JobError) as caught:
        lake.ingest(slot="2")

    assert (caught.value.reason, caught.value.code) == ("WatermarkLost", ExitCode.SPEC_WRONG)
    assert BOOKS in caught.value.message


def test_a_table_whose_plans_are_gone_is_a_lost_watermark(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1")})
    lake.ingest(slot="1")
    lake.delete(f"{BOOKS}/")

    with pytest.raises(JobError) as caught:
        lake.ingest(slot="2")

    assert (caught.value.reason, caught.value.code) == ("WatermarkLost", ExitCode.SPEC_WRONG)


def test_a_folder_that_never_had_a_file_is_said_to_be_empty(lake: Lake) -> None:
    with pytest.raises(JobError) as caught:
        lake.ingest()

    assert (caught.value.reason, caught.value.code) == ("SourceEmpty", ExitCode.SPEC_WRONG)
    assert lake.uri("source/") in caught.value.message


def test_a_folder_emptied_after_it_was_read_has_nothing_new(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1")})
    lake.ingest(slot="1")
    lake.delete("source/")

    assert lake.ingest(slot="2").result.reason == "NoNewFiles"


def test_a_file_that_changes_while_it_is_read_commits_nothing_and_the_retry_plans_anew(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.put({"a.csv": lines("id", "1", "x")})
    judged = judging.judge

    def read_then_change(*arguments: object) -> object:
        done = judged(*arguments)  # type: ignore[arg-type]  # passed through
        lake.put({"a.csv": lines("id", "2", "y")})
        return done

    monkeypatch.setattr(batches, "judge", read_then_change)
    with pytest.raises(JobError) as caught:
        lake.ingest(slot="1")
    assert (caught.value.reason, caught.value.code) == ("SourceChanged", ExitCode.UNAVAILABLE)
    assert not [key for key in lake.keys("") if "_delta_log" in key]

    monkeypatch.undo()
    lake.ingest(slot="1", attempt=2)
    assert lake.rows("id", "_ingest_batch") == [(2, 2)]
    assert [row for row, _ in lake.refused()] == ['{"id":"y"}']


def test_what_a_given_up_plan_left_in_quarantine_is_removed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.put({"a.csv": lines("id", "1", "x")})

    die_before_the_commit(lake, monkeypatch)
    assert len(lake.refused()) == 1

    lake.put({"a.csv": lines("id", "1", "y")})
    lake.ingest(slot="1", attempt=2)
    assert [row for row, _ in lake.refused()] == ['{"id":"y"}']


def test_an_open_plan_of_another_slot_is_finished_before_new_files_are_read(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.put({"a.csv": lines("id", "1")})

    die_before_the_commit(lake, monkeypatch)
    lake.put({"b.csv": lines("id", "2")})

    ended = lake.ingest(slot="2")

    assert ended.result.metrics["rowsWritten"] == 2
    assert lake.rows("id", "_ingest_batch", "_ingest_run") == [
        (1, 1, "ing-people-1-1-abc"),
        (2, 2, "ing-people-2-1-abc"),
    ]


def test_an_open_plan_is_given_up_when_the_contract_changes(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.put({"a.csv": lines("id", "1", "x")})

    die_before_the_commit(lake, monkeypatch)

    looser = {"type": "object", "properties": {"id": {"type": "string"}}}
    ended = lake.ingest(slot="2", contract=looser)

    assert ended.result.metrics["rowsWritten"] == 2
    assert lake.rows("id", "_ingest_batch") == [("1", 2), ("x", 2)]
    assert lake.refused() == []


def test_files_of_a_lost_driver_that_commits_after_all_are_not_read_twice(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.put({"a.csv": lines("id,name", "1,Ada")})
    write = batches._write
    lost: list[tuple[object, ...]] = []
    monkeypatch.setattr(batches, "_write", lambda *arguments: lost.append(arguments))
    lake.ingest(slot="1")
    lake.delete(f"{BOOKS}/1.result.json")

    def the_lost_driver_goes_on(*_: object) -> None:
        write(*lost[0])  # type: ignore[arg-type]  # passed through

    monkeypatch.undo()
    monkeypatch.setattr(Files, "require_unchanged", the_lost_driver_goes_on)
    monkeypatch.setattr(judging.Judged, "release", lambda _: None)
    changed = {**PEOPLE, "description": "another version"}
    with pytest.raises(JobError) as caught:
        lake.ingest(slot="2", contract=changed)
    assert (caught.value.reason, caught.value.code) == ("AnotherDriver", ExitCode.UNAVAILABLE)

    monkeypatch.undo()
    ended = lake.ingest(slot="2", attempt=2, contract=changed)
    assert ended.result.reason == "NoNewFiles"
    assert lake.rows("id", "_ingest_batch") == [(1, 1)]


def test_a_pipeline_of_many_batches_reads_few_plans_and_forgets_vanished_files(lake: Lake) -> None:
    books = Books.of(Storage(lake.spark), lake.spec())
    listing: list[Stored] = []
    for batch in range(1, 3 * SUMMARY_EVERY):
        listing = [*listing[-4:], Stored(uri=f"s3://x/{batch}", size=1, modified=batch, etag=f"e{batch}")]
        before = books.committed_plans(batch - 1)
        new = PlannedFile(uri=f"s3://x/{batch}", size=1, modified=batch, etag=f"e{batch}")
        work = FilesWork(groups=[FileGroup(files=[new])], summary=summary(Ledger.of(before), listing, batch))
        books.freeze(Plan.new(lake.spec(), before, batch=batch, work=work, now="2026-01-01T00:00:00Z"))

    ledger = Ledger.of(books.committed_plans(3 * SUMMARY_EVERY - 1))
    assert set(ledger.etags) >= {file.uri for file in listing}
    assert len(ledger.etags) <= 4 + SUMMARY_EVERY


def test_a_retry_counts_the_rows_when_result_and_history_are_gone(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1", "2", "x")})
    first = lake.ingest(slot="1").batches[0]
    path = lake.uri("bronze/people").replace("s3://", "s3a://")
    lake.spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.appendOnly' = 'true')")
    delta: Any = lake.spark._jvm
    delta.org.apache.spark.sql.delta.DeltaLog.forTable(lake.spark._jsparkSession, path).checkpoint()
    lake.delete(f"{BOOKS}/1.result.json", "bronze/people/_delta_log/00000000000000000000.json")

    retry = lake.ingest(slot="1", attempt=2).batches[0]

    told = ("rows_read", "rows_written", "rows_quarantined", "files_read", "bytes_read", "newest_input")
    assert [getattr(retry, name) for name in told] == [getattr(first, name) for name in told]


def test_two_drivers_started_at_once_by_mistake_commit_once(lake: Lake) -> None:
    lake.put({"a.csv": lines("id", "1", "2", "x"), "b.csv": lines("id,name", "3,Cy")})

    def attempt(number: int) -> Ended | JobError:
        try:
            return lake.ingest(slot="1", attempt=number)
        except JobError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(attempt, (1, 2)))

    won = [end for end in ends if isinstance(end, Ended)]
    assert won, ends
    assert {end.result.metrics["rowsWritten"] for end in won} == {3}
    assert all(end.code is ExitCode.UNAVAILABLE for end in ends if isinstance(end, JobError)), "and can be tried again"
    assert lake.rows("id") == [1, 2, 3]
    assert len(lake.refused()) == 1
