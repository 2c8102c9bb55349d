"""The demo fails when a count differs, and says in one line what a pipeline is doing."""

from pathlib import Path
from typing import Any

import pytest
from arro3.core import Array, DataType, Table
from deltalake import write_deltalake

from lakehouse_dev.crm_export import FEWEST_ROWS, CrmExport, crm_export
from lakehouse_dev.demo import MERGED, TABLE, check
from lakehouse_dev.errors import DevError
from lakehouse_dev.following import describe
from lakehouse_dev.tables import Lake


@pytest.fixture(scope="module")
def export() -> CrmExport:
    return crm_export(rows=FEWEST_ROWS, files=5)


def _lake(directory: Path, *, bronze: int, quarantine: int, silver: int | None = None) -> Lake:
    tables = {
        "bronze/crm_accounts": bronze,
        "bronze/crm_accounts__quarantine": quarantine,
        "silver/crm_accounts": bronze if silver is None else silver,
    }
    for name, rows in tables.items():
        rows_of_it = Table.from_pydict({"Id": Array(list(range(rows)), DataType.int64())})
        write_deltalake(str(directory / name), rows_of_it)
    return Lake(endpoint="http://nowhere.example", uri=str(directory))


def _status(export: CrmExport, **changes: int) -> dict[str, Any]:
    told = {"rowsRead": export.rows, "rowsWritten": export.accepted, "rowsQuarantined": export.refused, **changes}
    return {"history": [{"metrics": {"rowsRead": 0, "rowsWritten": 0}}, {"metrics": told}]}


def test_counts_that_agree_are_taken(export: CrmExport, tmp_path: Path) -> None:
    check(export, _status(export), _lake(tmp_path, bronze=export.accepted, quarantine=export.refused))


def test_a_table_with_other_rows_is_named_with_both_counts(export: CrmExport, tmp_path: Path) -> None:
    lake = _lake(tmp_path, bronze=export.accepted + 1, quarantine=export.refused)

    with pytest.raises(DevError, match=f"rows of {TABLE}: {export.accepted + 1}, not {export.accepted}"):
        check(export, _status(export), lake)


def test_a_merged_table_has_one_row_for_each_key(export: CrmExport, tmp_path: Path) -> None:
    lake = _lake(tmp_path, bronze=export.accepted, quarantine=export.refused, silver=export.accepted - 1)

    with pytest.raises(DevError, match=f"rows of {MERGED}: {export.accepted - 1}, not {export.accepted}"):
        check(export, _status(export), lake)


def test_a_run_that_tells_other_counts_is_named(export: CrmExport, tmp_path: Path) -> None:
    lake = _lake(tmp_path, bronze=export.accepted, quarantine=export.refused)

    with pytest.raises(DevError, match="rows quarantined, as the run tells: 0, not"):
        check(export, _status(export, rowsQuarantined=0), lake)


DOING: dict[str, tuple[dict[str, Any], str]] = {
    "nothing yet": ({}, "the operator has not seen it yet"),
    "waiting for a node": (
        {"active": [{"attempt": 2, "phase": "Pending", "message": "Unschedulable: no room"}]},
        "attempt 2 Pending (Unschedulable: no room)",
    ),
    "waiting for its turn": ({"waiting": {"message": "as many runs are active"}}, "waits: as many runs are active"),
    "trying again": (
        {"retry": {"attempts": 1, "reason": "AccessDenied", "message": "the key is wrong"}},
        "attempt 1 failed, another one follows: AccessDenied: the key is wrong",
    ),
    "done": (
        {"lastRun": {"outcome": "Succeeded", "reason": "Ingested", "message": "3 rows"}},
        "Succeeded: Ingested: 3 rows",
    ),
}


@pytest.mark.parametrize(("status", "line"), DOING.values(), ids=DOING)
def test_one_line_says_what_a_pipeline_is_doing(status: dict[str, Any], line: str) -> None:
    assert describe(status) == line
