"""A line of the log is one JSON document that says what it is about."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from lakehouse_operator.telemetry.log import bound, configure_logging


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield logging.getLogger("lakehouse_operator.test")
    root.handlers[:], root.level = handlers, level
    logging.getLogger("kopf").setLevel(logging.NOTSET)


def test_a_line_names_the_resource_it_is_about(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")

    with bound(kind="IngestPipeline", namespace="lakehouse", name="accounts"):
        log.info("launched", extra={"run": "ing-accounts-1"})
    log.info("outside")

    inside, outside = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert inside["message"] == "launched"
    assert (inside["kind"], inside["namespace"], inside["resource_name"]) == ("IngestPipeline", "lakehouse", "accounts")
    assert inside["run"] == "ing-accounts-1"
    assert "kind" not in outside
    assert datetime.fromisoformat(inside["time"]).utcoffset() == timedelta()


def test_an_error_with_its_traceback_stays_one_line(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")

    try:
        int("odd")
    except ValueError:
        log.exception("failed")

    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exc_info"]


def test_kopf_speaks_only_of_trouble(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("DEBUG")

    logging.getLogger("kopf.objects").info("chatter")
    logging.getLogger("kopf.objects").warning("trouble")

    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["trouble"]
