"""The S3 store for tests keeps its data through an outage and behaves like AWS where Delta depends on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from lakehouse_dev.s3 import S3, start_s3


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with start_s3(tmp_path_factory.mktemp("s3")) as running:
        running.client().create_bucket(Bucket="lake")
        yield running


def test_an_object_can_be_created_only_once_under_a_condition(store: S3) -> None:
    store.client().put_object(Bucket="lake", Key="commit", Body=b"first", IfNoneMatch="*")

    with pytest.raises(ClientError, match="PreconditionFailed"):
        store.client().put_object(Bucket="lake", Key="commit", Body=b"second", IfNoneMatch="*")


def test_a_missing_bucket_is_an_error_also_for_writes(store: S3) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        store.client().put_object(Bucket="nowhere", Key="a", Body=b"")


def test_a_wrong_secret_is_refused(store: S3) -> None:
    store_for_stranger = S3(directory=store.directory, listen=store.listen, secret_key="wrong")

    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        store_for_stranger.client().list_buckets()


def test_data_survive_a_stop_and_a_start_on_the_same_port(store: S3) -> None:
    store.client().put_object(Bucket="lake", Key="kept", Body=b"bytes")

    store.stop()
    with pytest.raises(BotoCoreError):
        store.client().list_buckets()
    store.start()

    assert store.client().get_object(Bucket="lake", Key="kept")["Body"].read() == b"bytes"


def test_a_paused_store_answers_again_after_resume(store: S3) -> None:
    store.pause()
    store.resume()

    assert store.client().list_buckets()["Buckets"][0]["Name"] == "lake"


def test_two_stores_run_side_by_side(store: S3, tmp_path: Path) -> None:
    with start_s3(tmp_path) as other:
        assert other.endpoint != store.endpoint
        assert other.client().list_buckets()["Buckets"] == []
