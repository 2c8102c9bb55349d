"""What Java throws, told as a reason."""

import pytest

from lakehouse_jobs.failures import SIGNS, SIGNS_OF_TARGETS, JavaError


@pytest.mark.parametrize(
    ("type_", "message", "reason"),
    [
        ("org.apache.hadoop.fs.s3a.UnknownStoreException", "x", "Missing"),
        ("java.nio.file.AccessDeniedException", "x", "AccessDenied"),
        ("org.apache.hadoop.fs.s3a.AWSBadRequestException", "InvalidAccessKeyId", "AccessDenied"),
        ("java.util.zip.ZipException", "incorrect data check", "DataRefused"),
        ("java.io.EOFException", "Unexpected end of input stream", "DataRefused"),
        ("java.net.ConnectException", "Connection refused", "StoreUnavailable"),
        ("org.apache.spark.SparkException", "Job aborted: java.net.ConnectException: refused", "StoreUnavailable"),
        ("org.apache.spark.SparkException", "task lost: java.util.zip.ZipException: bad block", "DataRefused"),
        ("java.lang.IllegalStateException", "surprise", None),
    ],
)
def test_a_throwable_of_a_known_kind_has_a_reason(type_: str, message: str, reason: str | None) -> None:
    error = JavaError(type=type_, message=message)

    assert next((sign.reason for sign in SIGNS if sign.shows_in(error)), None) == reason


def test_a_missing_file_of_the_target_is_no_change_of_the_source() -> None:
    error = JavaError(type="java.io.FileNotFoundException", message="part-0.parquet")

    assert not any(sign.shows_in(error) for sign in SIGNS_OF_TARGETS)
