"""The termination message fits, whatever the result says."""

import json

import pytest

from lakehouse_api.catalog import MESSAGE_LENGTH, CatalogResult
from lakehouse_api.enforcement import ExpectationOutcome, ExpectationResult
from lakehouse_api.run import RESULT_LIMIT, ExitCode, RunResult, TableResult
from lakehouse_api.status import Outcome
from lakehouse_jobs.failures import data_refused, spec_wrong, unavailable
from lakehouse_jobs.reporting import exit_code, failed, one_line, termination_message


def result(message: str, **texts: float | str) -> RunResult:
    tables = [TableResult(table="bronze.t", version=1, rows=2)]
    return RunResult(outcome=Outcome.SUCCEEDED, reason="Ingested", message=message, metrics=texts, tables=tables)


def test_a_result_that_fits_is_written_as_it_is() -> None:
    message = json.loads(termination_message(result("ok", rowsWritten=2)))

    assert message["message"] == "ok"
    assert (message["metrics"], message["tables"][0]["rows"]) == ({"rowsWritten": 2}, 2)


def test_a_long_message_is_shortened_before_anything_else_is_left_out() -> None:
    data = termination_message(result("東" * 1024, refusals="x" * 1200, rowsWritten=2))

    message = json.loads(data)
    assert len(data) <= RESULT_LIMIT
    assert message["metrics"] == {"refusals": "x" * 1200, "rowsWritten": 2}
    assert 0 < len(message["message"]) < 1024


def test_numbers_outlast_texts() -> None:
    data = termination_message(result("東" * 1024, refusals="y" * 5000, rowsWritten=2))

    assert len(data) <= RESULT_LIMIT
    assert json.loads(data)["metrics"] == {"rowsWritten": 2}


def many(outcome: ExpectationOutcome) -> list[ExpectationResult]:
    return [ExpectationResult(name=f"{outcome}-{n:02}-{'n' * 50}", outcome=outcome, found="東" * 30) for n in range(16)]


def test_what_went_wrong_outlasts_what_went_well() -> None:
    told = result("東" * 1024, refusals="y" * 5000, rowsWritten=2).model_copy(
        update={
            "catalog": CatalogResult(registered=False, reason="CatalogDenied", message="東" * MESSAGE_LENGTH),
            "expectations": [*many(ExpectationOutcome.MET), *many(ExpectationOutcome.WARNED)],
        }
    )

    data = termination_message(told)

    message = json.loads(data)
    assert len(data) <= RESULT_LIMIT
    assert message["catalog"]["reason"] == "CatalogDenied"
    assert {one["outcome"] for one in message["expectations"]} == {ExpectationOutcome.WARNED}


def test_a_result_fits_whatever_became_of_its_expectations() -> None:
    told = result("m", rowsWritten=2).model_copy(update={"expectations": 4 * many(ExpectationOutcome.WARNED)})

    data = termination_message(told)

    assert len(data) <= RESULT_LIMIT
    assert json.loads(data)["metrics"] == {"rowsWritten": 2}


@pytest.mark.parametrize(
    ("failure", "code", "retry"),
    [
        (spec_wrong("X", "m"), ExitCode.SPEC_WRONG, False),
        (data_refused("m"), ExitCode.DATA_REFUSED, False),
        (unavailable("X", "m"), ExitCode.UNAVAILABLE, True),
    ],
    ids=["spec wrong", "data refused", "unavailable"],
)
def test_result_and_exit_code_say_the_same(failure: Exception, code: ExitCode, retry: bool) -> None:  # noqa: FBT001 (a table)
    told = failed(failure)  # type: ignore[arg-type]  # the table's column is wider

    assert (told.outcome, told.retry, exit_code(told, failure)) == (Outcome.FAILED, retry, code)  # type: ignore[arg-type]  # the same


def test_a_message_is_one_line_of_bounded_length() -> None:
    assert one_line("a\n b\t c") == "a b c"
    assert len(one_line("x" * 5000)) == 1024
