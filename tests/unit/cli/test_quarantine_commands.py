"""`kubectl lakehouse quarantine` as it is typed, where the cluster has something to say against it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lakehouse_operator.cli.main import lakehouse
from tests.unit.cli.kubectl import Kubectl

Answer = Callable[..., None]
GET = """token=$(sed -n 's|^lakehouse.dev/run-now=||p' asked 2>/dev/null); sed "s|TOKEN|$token|" pipeline.json"""


@pytest.fixture
def cluster(kubectl: Kubectl) -> Answer:
    """Give a function that sets the pipeline that the cluster has."""
    kubectl.install(GET)

    def have(annotations: dict[str, str] | None = None, status: dict[str, Any] | None = None, **spec: Any) -> None:
        kubectl.give(status or {}, annotations, **spec)

    return have


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(lakehouse, ["quarantine", *arguments])


def ended(outcome: str, reason: str, message: str, **metrics: object) -> dict[str, Any]:
    record = {"id": "r", "slot": "run-now:TOKEN", "outcome": outcome, "reason": reason, "message": message}
    return {"history": [{**record, "finishedAt": "2026-11-24T06:00:00Z", "metrics": metrics}]}


def test_the_request_is_one_annotation_and_its_token_another(cluster: Answer, tmp_path: Path) -> None:
    cluster(status=ended("Succeeded", "Discarded", "2 rows discarded.", rowsDiscarded=2))

    result = ask("discard", "people", "-n", "crm", "--path", "/Phone", "--reason", "type", "--because", "a test")

    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:3] == ["--namespace=crm", "annotate", "ingestpipelines.lakehouse.dev"]
    assert asked[4].startswith("lakehouse.dev/run-now=quarantine/")
    request = json.loads(asked[5].removeprefix("lakehouse.dev/quarantine="))
    assert request == {"verb": "discard", "rows": {"keyword": "type", "path": "/Phone"}, "because": "a test"}
    assert (result.exit_code, result.stdout) == (0, "Succeeded Discarded: 2 rows discarded.\n")


def test_an_inspection_is_printed_for_people_programs_and_shells(cluster: Answer) -> None:
    reasons = json.dumps(
        [{"path": "", "keyword": "Malformed", "rows": 3}, {"path": "/a", "keyword": "type", "rows": 1}]
    )
    cluster(status=ended("Succeeded", "Inspected", "4 open rows.", rowsOpen=4, reasons=reasons))

    told = {form: ask("inspect", "people", "-o", form).stdout for form in ("table", "json", "tsv")}

    assert told["tsv"] == "3\tMalformed\t/\n1\ttype\t/a\n"
    assert json.loads(told["json"])["metrics"] == {"rowsOpen": 4, "reasons": json.loads(reasons)}
    assert told["table"].splitlines()[2:4] == ["ROWS   REASON      PATH", "3      Malformed   /"]


def test_a_run_that_failed_ends_with_1(cluster: Answer) -> None:
    cluster(status=ended("Failed", "ReplayRefused", "target.mode is Overwrite"))

    result = ask("replay", "people")

    assert result.exit_code == 1
    assert "Failed ReplayRefused: target.mode is Overwrite" in result.stdout


def test_a_suspended_pipeline_is_not_asked(cluster: Answer, tmp_path: Path) -> None:
    cluster(suspend=True)

    result = ask("replay", "people")

    assert (result.exit_code, "people is suspended" in result.stderr) == (2, True)
    assert not (tmp_path / "asked").exists()


def test_a_wish_that_nobody_has_taken_yet_is_not_overwritten(cluster: Answer, tmp_path: Path) -> None:
    cluster(annotations={"lakehouse.dev/run-now": "mine"}, status={"lastHandledRunNow": "older"})

    result = ask("replay", "people")

    assert (result.exit_code, "lakehouse.dev/run-now: mine" in result.stderr) == (2, True)
    assert not (tmp_path / "asked").exists()


def test_a_run_that_does_not_come_is_waited_for_so_long(cluster: Answer) -> None:
    cluster()

    result = ask("replay", "people", "--timeout", "1s")

    assert result.exit_code == 2
    assert "has not ended in time (waiting for the run to start)" in result.stderr


def test_a_timeout_that_is_none_is_said_to_be(cluster: Answer) -> None:
    cluster()

    assert "--timeout" in ask("replay", "people", "--timeout", "soon").stderr
