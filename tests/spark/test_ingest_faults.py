"""A store that is missing, shut or away: each is its own reason, soon."""

import socket
import time
from collections.abc import Iterator

import pytest

from lakehouse_api.run import ExitCode, Store
from lakehouse_dev.s3 import S3
from lakehouse_dev.waiting import free_ports
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.session import reach
from tests.spark.lake import Lake, lines, store

pytestmark = pytest.mark.spark


def failure(lake: Lake, uri: str, *stores: dict[str, object]) -> JobError:
    reach(lake.spark, [Store.model_validate(each) for each in stores])
    with pytest.raises(JobError) as caught:
        lake.ingest(source={"uri": uri})
    return caught.value


def test_a_missing_source_bucket_is_named_and_not_tried_again(lake: Lake) -> None:
    error = failure(lake, "s3://no-such-bucket/x/", store(lake.s3, "no-such-bucket"))

    assert (error.reason, error.code) == ("SourceMissing", ExitCode.SPEC_WRONG)
    assert "no-such-bucket" in error.message


def test_a_missing_target_bucket_is_told_apart_from_a_missing_source(lake: Lake) -> None:
    reach(lake.spark, [Store.model_validate(store(lake.s3, "no-such-lake"))])
    lake.put({"1.csv": lines("id", "1")})

    with pytest.raises(JobError) as caught:
        lake.ingest(target={"uri": "s3://no-such-lake/t", "quarantineUri": "s3://no-such-lake/q"})

    assert (caught.value.reason, caught.value.code) == ("TargetMissing", ExitCode.SPEC_WRONG)


@pytest.mark.parametrize(
    ("prefix", "word"),
    [("WRONG", "403"), ("ABSENT", "ABSENT_ACCESS_KEY_ID")],
    ids=["a key that the store does not know", "a Secret without the key"],
)
def test_wrong_credentials_are_denied_access_and_tried_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, prefix: str, word: str
) -> None:
    bucket = f"shut-{prefix.lower()}"

    error = failure(lake, f"s3://{bucket}/x/", store(lake.s3, bucket, credentialsPrefix=prefix))

    assert (error.reason, error.code) == ("AccessDenied", ExitCode.UNAVAILABLE)
    assert word in error.message
    assert lake.s3.secret_key not in error.message


def test_an_endpoint_where_nobody_listens_is_unavailable_within_a_minute(lake: Lake) -> None:
    (port,) = free_ports(1)
    started = time.monotonic()

    error = failure(lake, "s3://nobody/x/", store(lake.s3, "nobody", endpoint=f"http://127.0.0.1:{port}"))

    assert (error.reason, error.code) == ("StoreUnavailable", ExitCode.UNAVAILABLE)
    assert "s3://nobody/x/" in error.message
    print(f"unreachable after {time.monotonic() - started:.0f} s")  # noqa: T201 (a figure for the log, not asserted)


@pytest.fixture
def silent(s3: S3) -> Iterator[str]:
    """An endpoint that takes connections and never answers."""

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_endpoint_that_never_answers_is_unavailable(lake: Lake, silent: str) -> None:
    started = time.monotonic()

    error = failure(lake, "s3://silent/x/", store(lake.s3, "silent", endpoint=silent))

    assert (error.reason, error.code) == ("StoreUnavailable", ExitCode.UNAVAILABLE)
    print(f"silent for {time.monotonic() - started:.0f} s")  # noqa: T201 (a figure for the log, not asserted)


def test_a_store_that_was_away_costs_an_attempt_and_no_row(lake: Lake) -> None:
    lake.put({"1.csv": lines("id", "1")})
    lake.ingest(slot="1")
    lake.put({"2.csv": lines("id", "2")})
    lake.s3.stop()
    try:
        with pytest.raises(JobError) as caught:
            lake.ingest(slot="2")
    finally:
        lake.s3.start()

    assert (caught.value.reason, caught.value.code) == ("StoreUnavailable", ExitCode.UNAVAILABLE)
    lake.ingest(slot="2", attempt=2)
    assert lake.rows("id", "_ingest_batch") == [(1, 1), (2, 2)]
