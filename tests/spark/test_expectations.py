"""What is expected of a batch beyond its schema: each kind of check, each consequence, and specs that make no sense."""

import json
from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from tests.spark.lake import Lake, lines

pytestmark = pytest.mark.spark

ORDERS: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "customer": {"type": "string"},
        "amount": {"type": "number"},
        "at": {"type": "string", "format": "date-time"},
    },
}
ROWS = lines(
    "id,customer,amount,at",
    "1,ada,10,2026-11-24T05:00:00Z",
    "1,bob,-1,2026-11-24T05:30:00Z",
    "2,cy,,2026-11-23T05:00:00Z",
    ",nobody,1,2026-11-24T06:00:00Z",
    "3,,5,",
)


def outcomes(lake: Lake, *expectations: dict[str, Any], **changes: Any) -> dict[str, tuple[str, int | str | None]]:
    ended = lake.ingest(contract=ORDERS, expectations=expectations, **changes)
    told = ended.result.expectations
    return {each.name: (each.outcome.value, each.rows if each.found is None else each.found) for each in told}


def test_expectations_that_warn_count_rows_and_write_them_all(lake: Lake) -> None:
    lake.put({"a.csv": ROWS})

    told = outcomes(
        lake,
        {"name": "paid", "expression": "amount >= 0"},
        {"name": "ids", "unique": ["id"]},
        {"name": "early", "expression": "id < 100"},
    )

    assert told == {"paid": ("Warned", 1), "ids": ("Warned", 1), "early": ("Met", 0)}
    assert lake.rows("id") == [1, 1, 2, 3]


def test_rows_that_violate_an_expectation_go_to_quarantine_as_they_came(lake: Lake) -> None:
    lake.put({"a.csv": ROWS})

    told = outcomes(
        lake,
        {"name": "paid", "expression": "amount >= 0", "onViolation": "Quarantine"},
        {"name": "ids", "unique": ["id"], "onViolation": "Quarantine"},
    )

    assert told == {"paid": ("Quarantined", 1), "ids": ("Quarantined", 1)}
    assert lake.rows("id", "amount") == [(1, 10.0), (2, None), (3, 5.0)]
    late = {json.loads(row)["customer"]: reasons for row, reasons in lake.refused()}
    assert late == {"bob": [("", "Expectation"), ("", "Expectation")], "nobody": [("/id", "required")]}


def test_an_expectation_that_fails_commits_nothing(lake: Lake) -> None:
    lake.put({"a.csv": ROWS})

    with pytest.raises(JobError) as caught:
        outcomes(lake, {"name": "paid", "expression": "amount >= 0", "onViolation": "Fail"})

    assert (caught.value.reason, caught.value.code) == ("ExpectationFailed", ExitCode.DATA_REFUSED)
    assert "paid (1 rows)" in caught.value.message
    assert not [key for key in lake.keys("") if "_delta_log" in key]


def test_a_batch_is_judged_as_a_whole_by_the_rows_it_writes(lake: Lake) -> None:
    lake.put({"a.csv": ROWS})

    told = outcomes(
        lake,
        {"name": "ids", "unique": ["id"], "onViolation": "Quarantine"},
        {"name": "enough", "rowCount": {"min": 3}},
        {"name": "few", "rowCount": {"max": 2}},
        {"name": "fresh", "maxAge": {"column": "at", "age": "2h"}},
        {"name": "very-fresh", "maxAge": {"column": "at", "age": "30m"}},
        {"name": "priced", "nullShare": {"column": "amount", "max": 0.3}},
    )

    assert told == {
        "ids": ("Quarantined", 1),
        "enough": ("Met", "3 rows"),
        "few": ("Warned", "3 rows"),
        "fresh": ("Met", "newest is 2026-11-24T05:00:00Z, limit 2h"),
        "very-fresh": ("Warned", "newest is 2026-11-24T05:00:00Z, limit 30m"),
        "priced": ("Warned", "0.3333 of 3 rows without amount"),
    }


def test_values_must_exist_in_another_table(lake: Lake) -> None:
    customers = lake.spark.createDataFrame([("ada",), ("cy",)], "name string")
    uri = lake.uri("silver/customers")
    customers.write.format("delta").save(uri.replace("s3://", "s3a://"))
    lake.put({"a.csv": ROWS})

    known = {"name": "known", "reference": {"columns": ["customer"], "table": "silver.customers", "keys": ["name"]}}
    told = outcomes(lake, {**known, "onViolation": "Quarantine"}, references={"silver.customers": uri})

    assert told == {"known": ("Quarantined", 1)}
    assert lake.rows("id") == [1, 2, 3]


def test_a_batch_without_rows_meets_all_but_a_least_count(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,customer,amount,at")})

    told = outcomes(
        lake,
        {"name": "enough", "rowCount": {"min": 1}},
        {"name": "fresh", "maxAge": {"column": "at", "age": "1h"}},
        {"name": "paid", "expression": "amount > 0"},
    )

    assert told == {"enough": ("Warned", "0 rows"), "fresh": ("Met", "no rows"), "paid": ("Met", 0)}


@pytest.mark.parametrize(
    ("check", "words"),
    [
        pytest.param({"expression": "amonut > 0"}, "amonut", id="a column that does not exist"),
        pytest.param({"expression": "amount +"}, "SYNTAX", id="no SQL"),
        pytest.param({"expression": "amount + 1"}, "not true or false", id="no condition"),
        pytest.param({"unique": ["key"]}, "no column key", id="a key that does not exist"),
        pytest.param({"maxAge": {"column": "amount", "age": "1h"}}, "not a time", id="the age of a number"),
    ],
)
def test_an_expectation_that_cannot_be_meant_is_refused_before_anything_is_read(
    lake: Lake, check: dict[str, Any], words: str
) -> None:
    lake.put({"a.csv": ROWS})

    with pytest.raises(JobError) as caught:
        outcomes(lake, {"name": "odd", **check})

    assert (caught.value.reason, caught.value.code) == ("ExpectationInvalid", ExitCode.SPEC_WRONG)
    assert "odd" in caught.value.message
    assert words in caught.value.message
    assert not lake.keys("bronze/people/_ingest")


def test_an_expression_that_cannot_be_evaluated_for_a_row_says_so(lake: Lake) -> None:
    lake.put({"a.csv": ROWS})

    with pytest.raises(JobError, match=r"ExpectationInvalid.*try_cast"):
        outcomes(lake, {"name": "odd", "expression": "cast(customer as int) > 0"})


def test_a_table_referred_to_that_does_not_exist_yet_is_waited_for(lake: Lake) -> None:
    lake.put({"a.csv": ROWS})

    with pytest.raises(JobError) as caught:
        outcomes(
            lake,
            {"name": "known", "reference": {"columns": ["customer"], "table": "silver.none"}},
            references={"silver.none": lake.uri("silver/none")},
        )

    assert (caught.value.reason, caught.value.code) == ("ReferenceMissing", ExitCode.UNAVAILABLE)
