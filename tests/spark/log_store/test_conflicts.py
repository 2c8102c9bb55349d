"""What two writers of one Delta version get, on a real object store and through bad networks."""

import pytest

from lakehouse_dev.s3 import S3
from tests.spark.log_store.drivers import OURS, STOCK, Driver, FailingLines, HeldLines, JavaError, in_background
from tests.spark.log_store.fault_proxy import Faults, fault_proxy

pytestmark = pytest.mark.spark
CONFLICT = "java.nio.file.FileAlreadyExistsException"
ONE_TRY = {"fs.s3a.attempts.maximum": "1", "fs.s3a.retry.limit": "0"}


def commits(log: str, version: int) -> str:
    return f"{log}/{version:020}.json"


def race(store: str, path: str, endpoint: str, drivers: tuple[Driver, Driver]) -> list[str]:
    """Let two drivers open one version, then let them finish one after the other; returns what each was told."""
    writers = [HeldLines('{"by": "first"}'), HeldLines('{"by": "second"}')]
    confs = [driver.configuration(endpoint) for driver in drivers]
    first, second = (
        lambda driver=driver, lines=lines, conf=conf: driver.commit(store, path, lines, conf)
        for driver, lines, conf in zip(drivers, writers, confs, strict=True)
    )
    told = []
    with in_background(first) as one, in_background(second) as other:
        assert all(lines.opened.wait(60) for lines in writers)
        for lines, future in zip(writers, (one, other), strict=True):
            lines.may_go_on.set()
            error = future.exception(60)
            told.append(error.kind if isinstance(error, JavaError) else "committed" if error is None else repr(error))
    return told


def test_the_stock_store_loses_the_first_of_two_commits_that_were_open_together(
    store: S3, log: str, first_driver: Driver, second_driver: Driver
) -> None:
    told = race(STOCK, commits(log, 0), store.endpoint, (first_driver, second_driver))
    assert told == ["committed", "committed"]
    survivor = first_driver.read(commits(log, 0), first_driver.configuration(store.endpoint))
    assert survivor == ['{"by": "second"}']


def test_ours_refuses_the_second_of_two_commits_that_were_open_together(
    store: S3, log: str, first_driver: Driver, second_driver: Driver
) -> None:
    told = race(OURS, commits(log, 0), store.endpoint, (first_driver, second_driver))
    assert told == ["committed", CONFLICT]
    survivor = first_driver.read(commits(log, 0), first_driver.configuration(store.endpoint))
    assert survivor == ['{"by": "first"}']


def test_a_commit_whose_answer_is_lost_is_reported_as_done_once(store: S3, log: str, first_driver: Driver) -> None:
    faults = Faults(lost_answers=1)
    with fault_proxy(store.listen.s3_port, faults) as endpoint:
        conf = first_driver.configuration(endpoint)
        first_driver.commit(OURS, commits(log, 0), ['{"txnId": "a"}'], conf)
        assert faults.answers == [200, 412]
        with pytest.raises(JavaError, match=CONFLICT):
            first_driver.commit(OURS, commits(log, 0), ['{"txnId": "b"}'], conf)
    assert first_driver.read(commits(log, 0), first_driver.configuration(store.endpoint)) == ['{"txnId": "a"}']


def test_a_commit_is_done_even_if_no_answer_ever_arrives(store: S3, log: str, first_driver: Driver) -> None:
    faults = Faults(lost_answers=100)
    with fault_proxy(store.listen.s3_port, faults) as endpoint:
        conf = first_driver.configuration(endpoint, ONE_TRY)
        first_driver.commit(OURS, commits(log, 0), ['{"txnId": "a"}'], conf)
    assert faults.answers[0] == 200
    assert faults.lost_answers == 100 - len(faults.answers)
    assert first_driver.read(commits(log, 0), first_driver.configuration(store.endpoint)) == ['{"txnId": "a"}']


def test_a_lost_answer_to_a_refusal_is_still_a_conflict(store: S3, log: str, first_driver: Driver) -> None:
    direct = first_driver.configuration(store.endpoint)
    first_driver.commit(OURS, commits(log, 0), ['{"txnId": "a"}'], direct)
    with fault_proxy(store.listen.s3_port, Faults(lost_answers=100)) as endpoint:
        conf = first_driver.configuration(endpoint, ONE_TRY)
        with pytest.raises(JavaError, match=CONFLICT):
            first_driver.commit(OURS, commits(log, 0), ['{"txnId": "b"}'], conf)


def test_a_store_that_ignores_the_condition_is_refused_before_anything_is_committed(
    store: S3, log: str, first_driver: Driver
) -> None:
    with fault_proxy(store.listen.s3_port, Faults(drops_condition=True)) as endpoint:
        conf = first_driver.configuration(endpoint)
        with pytest.raises(JavaError, match="ignores `If-None-Match") as refused:
            first_driver.commit(OURS, commits(log, 0), ["{}"], conf)
    assert refused.value.kind == "java.io.IOException"
    direct = first_driver.configuration(store.endpoint)
    first_driver.commit(OURS, commits(log, 0), ["{}"], direct)
    assert first_driver.names(f"{log}/-", direct) == ["00000000000000000000.json"], "the probe was not removed"


def test_a_file_system_whose_conditional_create_is_off_is_refused(store: S3, log: str, first_driver: Driver) -> None:
    conf = first_driver.configuration(store.endpoint + "/", {"fs.s3a.create.conditional.enabled": "false"})
    with pytest.raises(JavaError, match="Conditional Writes Unavailable"):
        first_driver.commit(OURS, commits(log, 0), ["{}"], conf)


def test_a_commit_that_fails_half_way_leaves_nothing(store: S3, log: str, first_driver: Driver) -> None:
    conf = first_driver.configuration(store.endpoint)
    with pytest.raises(JavaError, match="no more actions"):
        first_driver.commit(OURS, commits(log, 0), FailingLines(), conf)
    first_driver.commit(OURS, commits(log, 0), ['{"whole": true}'], conf)
    assert first_driver.read(commits(log, 0), conf) == ['{"whole": true}']


def test_a_commit_of_several_parts_is_exclusive_too(store: S3, log: str, first_driver: Driver) -> None:
    conf = first_driver.configuration(store.endpoint, {"fs.s3a.multipart.size": "5M"})
    lines = ["x" * 1_000_000] * 11
    first_driver.commit(OURS, commits(log, 0), lines, conf)
    with pytest.raises(JavaError, match=CONFLICT):
        first_driver.commit(OURS, commits(log, 0), [*lines, "y"], conf)
    assert len(first_driver.read(commits(log, 0), conf)) == 11


def test_last_checkpoint_may_be_overwritten(store: S3, log: str, first_driver: Driver) -> None:
    conf = first_driver.configuration(store.endpoint)
    for version in (10, 20):
        first_driver.commit(OURS, f"{log}/_last_checkpoint", [f'{{"version":{version}}}'], conf, overwrite=True)
    assert first_driver.read(f"{log}/_last_checkpoint", conf) == ['{"version":20}']


def test_a_log_is_listed_from_a_version_on_in_order(store: S3, log: str, first_driver: Driver) -> None:
    conf = first_driver.configuration(store.endpoint)
    for version in (10, 2, 1, 0):
        first_driver.commit(OURS, commits(log, version), ["{}"], conf)
    assert first_driver.names(commits(log, 1), conf) == [f"{version:020}.json" for version in (1, 2, 10)]


def test_s3_paths_are_served_by_the_same_store(store: S3, log: str, first_driver: Driver) -> None:
    conf = first_driver.configuration(store.endpoint)
    path = commits(log, 0).replace("s3a://", "s3://")
    first_driver.commit(OURS, path, ['{"txnId": "a"}'], conf)
    with pytest.raises(JavaError, match=CONFLICT):
        first_driver.commit(OURS, path, ['{"txnId": "b"}'], conf)
