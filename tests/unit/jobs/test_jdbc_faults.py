"""What SQLSTATEs and the databases' own numbers mean, and drivers' words where nothing else is left."""

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_jobs.ingest.sources.jdbc.faults import Refusal, fault, meaning


@pytest.mark.parametrize(
    ("state", "number", "reason", "code"),
    [
        ("42P01", 0, "SourceMissing", ExitCode.SPEC_WRONG),
        ("3D000", 0, "SourceMissing", ExitCode.SPEC_WRONG),
        ("42703", 0, "ColumnMissing", ExitCode.SPEC_WRONG),
        ("42601", 0, "QueryRefused", ExitCode.SPEC_WRONG),
        ("42501", 0, "AccessDenied", ExitCode.UNAVAILABLE),
        ("28P01", 0, "AccessDenied", ExitCode.UNAVAILABLE),
        ("28000", 0, "AccessDenied", ExitCode.UNAVAILABLE),
        ("57014", 0, "SourceTimedOut", ExitCode.UNAVAILABLE),
        ("08001", 0, "SourceUnavailable", ExitCode.UNAVAILABLE),
        ("57P01", 0, "SourceUnavailable", ExitCode.UNAVAILABLE),
        ("53300", 0, "SourceUnavailable", ExitCode.UNAVAILABLE),
        ("", 0, "SourceUnavailable", ExitCode.UNAVAILABLE),
        ("08001", 390144, "AccessDenied", ExitCode.UNAVAILABLE),
        ("02000", 2003, "SourceMissing", ExitCode.SPEC_WRONG),
        ("42000", 904, "ColumnMissing", ExitCode.SPEC_WRONG),
        ("42000", 1003, "QueryRefused", ExitCode.SPEC_WRONG),
    ],
)
def test_each_refusal_has_its_meaning(state: str, number: int, reason: str, code: ExitCode) -> None:
    meant = meaning(Refusal(state=state, number=number, message="no"))

    assert (meant.reason, meant.code) == (reason, code)


def test_words_of_an_executor_are_enough() -> None:
    told = RuntimeError(
        "Job aborted due to stage failure: Task 0 in stage 3.0 failed 4 times, most recent failure:\n"
        "org.postgresql.util.PSQLException: ERROR: canceling statement due to statement timeout\n\tat org.postgresql"
    )

    found = fault(told, where="reading t")

    assert found is not None
    assert (found.reason, found.message.startswith("reading t: ERROR: canceling statement")) == ("SourceTimedOut", True)


def test_what_is_no_word_of_a_driver_is_left_to_others() -> None:
    assert fault(ValueError("x"), where="reading t") is None
