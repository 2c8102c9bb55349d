"""Mode Overwrite: a batch replaces the rows of the values it brings, or the whole table."""

from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from tests.spark.lake import Lake, lines
from tests.spark.test_ingest_once import die_before_the_commit

pytestmark = pytest.mark.spark

RATES: dict[str, Any] = {
    "type": "object",
    "required": ["currency", "rate"],
    "properties": {
        "rate_date": {"type": "string", "format": "date"},
        "currency": {"type": "string"},
        "rate": {"type": "number"},
    },
}
BY_DATE: dict[str, Any] = {"contract": RATES, "target": {"mode": "Overwrite", "overwrite": {"by": ["rate_date"]}}}
WHOLE: dict[str, Any] = {"contract": RATES, "target": {"mode": "Overwrite"}}
HEADER = "rate_date,currency,rate"


def rates(lake: Lake) -> list[tuple[str, str, float]]:
    return [(str(day), currency, rate) for day, currency, rate in lake.rows("rate_date", "currency", "rate")]


def test_a_batch_replaces_the_days_it_brings_and_no_other(lake: Lake) -> None:
    lake.put({"1.csv": lines(HEADER, "2026-11-20,USD,1.1", "2026-11-20,CHF,0.9", "2026-11-21,USD,1.2")})
    lake.ingest(slot="1", **BY_DATE)
    lake.put({"2.csv": lines(HEADER, "2026-11-20,USD,1.15", "2026-11-22,USD,1.3")})

    ended = lake.ingest(slot="2", **BY_DATE)

    assert rates(lake) == [("2026-11-20", "USD", 1.15), ("2026-11-21", "USD", 1.2), ("2026-11-22", "USD", 1.3)]
    assert ended.result.metrics["rowsWritten"] == 2


def test_rows_without_a_value_replace_rows_without_one(lake: Lake) -> None:
    lake.put({"1.csv": lines(HEADER, ",USD,1", ",CHF,1", "2026-11-21,USD,1")})
    lake.ingest(slot="1", **BY_DATE)
    lake.put({"2.csv": lines(HEADER, ",USD,2", ",USD,3")})

    lake.ingest(slot="2", **BY_DATE)

    assert lake.table().where("rate_date IS NULL").count() == 2
    assert sorted(row.rate for row in lake.table().collect()) == [1, 2, 3]


def test_without_columns_a_batch_replaces_the_whole_table_and_its_history_stays(lake: Lake) -> None:
    lake.put({"1.csv": lines(HEADER, "2026-11-20,USD,1")})
    lake.ingest(slot="1", **WHOLE)
    lake.put({"2.csv": lines(HEADER, "2026-11-21,USD,2")})

    ended = lake.ingest(slot="2", **WHOLE)

    assert rates(lake) == [("2026-11-21", "USD", 2)]
    assert ended.result.metrics["tableVersion"] == 1


@pytest.mark.parametrize("spec", [BY_DATE, WHOLE], ids=["by day", "the whole table"])
def test_a_batch_whose_rows_are_all_refused_replaces_nothing(lake: Lake, spec: dict[str, Any]) -> None:
    lake.put({"1.csv": lines(HEADER, "2026-11-20,USD,1")})
    lake.ingest(slot="1", **spec)
    lake.put({"2.csv": lines(HEADER, "2026-11-20,USD,much")})

    ended = lake.ingest(slot="2", **spec)

    assert rates(lake) == [("2026-11-20", "USD", 1)]
    assert (ended.result.metrics["batch"], ended.result.metrics["rowsQuarantined"]) == (2, 1)


@pytest.mark.parametrize("spec", [BY_DATE, WHOLE], ids=["by day", "the whole table"])
def test_a_batch_is_replaced_once_whatever_dies(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any]
) -> None:
    lake.put({"0.csv": lines(HEADER, "2026-11-20,USD,1")})
    lake.ingest(slot="0", **spec)
    lake.put({"1.csv": lines(HEADER, "2026-11-20,USD,2", "2026-11-20,EUR,much")})
    die_before_the_commit(lake, monkeypatch, **spec)

    first = lake.ingest(slot="1", attempt=2, **spec)
    lake.delete("bronze/people/_ingest/crm/people/2.result.json")
    again = lake.ingest(slot="1", attempt=3, **spec)

    assert again.result.reason == "AlreadyCommitted"
    assert again.batches == first.batches
    assert rates(lake) == [("2026-11-20", "USD", 2)]
    assert len(lake.refused()) == 1


def test_columns_that_the_contract_does_not_name_are_a_wrong_spec(lake: Lake) -> None:
    lake.put({"1.csv": lines(HEADER, "2026-11-20,USD,1")})

    with pytest.raises(JobError) as caught:
        lake.ingest(contract=RATES, target={"mode": "Overwrite", "overwrite": {"by": ["day", "currency"]}})

    assert (caught.value.reason, caught.value.code) == ("OverwriteColumnUnknown", ExitCode.SPEC_WRONG)
    assert "day" in caught.value.message
    assert "currency" not in caught.value.message


def test_a_table_of_other_columns_is_left_alone(lake: Lake) -> None:
    lake.put({"1.csv": lines(HEADER, "2026-11-20,USD,1")})
    lake.ingest(slot="1", **BY_DATE)
    lake.put({"2.csv": lines("rate_date,rate", "2026-11-20,high")})
    text = {"type": "string"}
    other = {"type": "object", "properties": {"rate_date": {**text, "format": "date"}, "rate": text}}

    with pytest.raises(JobError) as caught:
        lake.ingest(slot="2", **BY_DATE | {"contract": other})

    assert caught.value.reason == "SchemaMismatch"
    assert "rate is" in caught.value.message
    assert rates(lake) == [("2026-11-20", "USD", 1)]
