"""The real input: an account export with every kind of mess, each counted."""

import time
from collections import Counter

import pytest
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_dev.crm_export import EXTRA_COLUMNS, crm_export
from tests.spark.lake import CRM_CONTRACT, Lake

pytestmark = pytest.mark.spark


def test_every_record_of_an_export_is_written_or_quarantined_for_its_own_defect(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    export = crm_export(rows=100_000)
    lake.put(export.files)

    started = time.monotonic()
    ended = lake.ingest(contract=CRM_CONTRACT)
    with capsys.disabled():
        speed = export.rows / (time.monotonic() - started)
        print(f"\n{export.rows} rows ingested, {speed:.0f} rows/s")  # noqa: T201 (a figure for the log, not asserted)

    metrics = ended.result.metrics
    assert metrics["rowsRead"] == export.rows
    assert metrics["rowsWritten"] == export.accepted
    assert metrics["rowsQuarantined"] == export.refused
    assert metrics["filesRead"] == len(export.files)
    assert metrics["bytesRead"] == sum(map(len, export.files.values()))
    assert metrics["columnsIgnored"] == ", ".join(sorted(EXTRA_COLUMNS))
    assert lake.table().count() == export.accepted

    found = Counter(
        f"{reason.path} {reason.keyword}".strip()
        for row in lake.table("bronze/people__quarantine").select("reasons").collect()
        for reason in row.reasons
    )
    assert found == dict(export.refusals)
    assert {f"{each.path} {each.keyword}".strip(): each.rows for each in ended.batches[0].refusals} == found

    assert lake.table().where(F.col("BillingStreet").contains("\n")).count() == export.defects["quotedLineBreak"]
    repeated = lake.table().count() - lake.table().select("Id").distinct().count()
    assert repeated == export.defects["repeatedId"]
    moved = lake.table().where(F.col("_ingest_file").endswith("accounts-03.csv"))
    assert moved.where(~F.col("Id").startswith("001") | ~F.col("OwnerId").startswith("005")).count() == 0
