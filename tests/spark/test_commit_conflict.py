"""Another writer changes a table while a batch is written to it: the run says so, the next attempt loses nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.tables import Table
from tests.spark.changes import SILVER, kept_and_merged, put, state
from tests.spark.lake import Lake

pytestmark = pytest.mark.spark

PATIENCE_SECONDS = 60


@pytest.fixture
def gate(tmp_path: Path) -> Callable[[Any], Any]:
    """Return what holds up the first row that is written until the other writer has committed."""
    arrived, opened = tmp_path / "arrived", tmp_path / "opened"

    def hold(value: Any) -> Any:
        arrived.touch()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not opened.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        return value

    return hold


@contextmanager
def meanwhile(lake: Lake, folder: Path, table: str) -> Iterator[None]:
    """Let another writer change a table as soon as rows are being written."""
    path = lake.uri(table).replace("s3://", "s3a://")

    def change() -> None:
        while not (folder / "arrived").exists():
            time.sleep(0.01)
        lake.spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('other.writer' = '{time.time_ns()}')")
        (folder / "opened").touch()

    other = threading.Thread(target=change)
    other.start()
    yield
    other.join(PATIENCE_SECONDS)
    for name in ("arrived", "opened"):
        (folder / name).unlink()


def failure(lake: Lake, attempt: int) -> JobError:
    with pytest.raises(JobError) as caught:
        lake.ingest(slot="2", attempt=attempt, **kept_and_merged(lake))
    return caught.value


def test_a_table_that_another_writer_changes_meanwhile_costs_an_attempt_and_no_change(
    lake: Lake, tmp_path: Path, gate: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, "1", "1,Ada,1,c")
    lake.ingest(slot="1", **kept_and_merged(lake))
    put(lake, "2", "1,Ada L,2,u", "2,Bob,1,c")
    held = F.udf(gate, "string", useArrow=False)

    for attempt, (method, table) in enumerate({"append": "bronze/people", "merge": SILVER}.items(), start=1):
        write = getattr(Table, method)

        def writing(self: Table, rows: DataFrame, *arguments: Any, write: Any = write, **named: Any) -> None:
            write(self, rows.withColumn("name", held("name")), *arguments, **named)

        with monkeypatch.context() as patch, meanwhile(lake, tmp_path, table):
            patch.setattr(Table, method, writing)
            error = failure(lake, attempt)
        assert (error.reason, error.code) == ("CommitConflict", ExitCode.UNAVAILABLE)
        assert lake.uri(table) in error.message

    lake.ingest(slot="2", attempt=3, **kept_and_merged(lake))
    assert state(lake, SILVER) == [("1", "Ada L", 2, False), ("2", "Bob", 1, False)]
    assert lake.table().count() == 3
