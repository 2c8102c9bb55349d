"""`kubectl lakehouse backfill` as it is typed: what it asks for, what it refuses to ask, and how it waits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lakehouse_operator.cli.main import lakehouse
from tests.unit.cli.kubectl import Kubectl

Have = Callable[..., None]
RANGE = ("--from", "2026-01-01", "--until", "2026-01-04")
GET = r"""text=$(sed -n 's|^lakehouse.dev/backfill=||p' asked 2>/dev/null | sed 's/"/\\"/g')
   sed "s|DIGEST|$(printf '["%s"]' "$text" | sha256sum | cut -c1-8)|" pipeline.json"""


@pytest.fixture
def cluster(kubectl: Kubectl) -> Have:
    """Give a function that sets the pipeline that the cluster has."""
    kubectl.install(GET)

    def have(backfill: dict[str, Any] | None = None, **spec: Any) -> None:
        kubectl.give({"backfill": backfill} if backfill else {}, **spec)

    return have


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(lakehouse, ["backfill", "people", *arguments])


def known(state: str, **more: Any) -> dict[str, Any]:
    return {"id": "DIGEST", "request": "?", "state": state, "askedAt": "2026-11-24T06:00:00Z"} | more


def test_the_request_is_one_annotation_with_a_token(cluster: Have, tmp_path: Path) -> None:
    cluster()

    result = ask(*RANGE, "-n", "crm", "--slice", "1d", "--replace")

    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:3] == ["--namespace=crm", "annotate", "ingestpipelines.lakehouse.dev"]
    request = json.loads(asked[4].removeprefix("lakehouse.dev/backfill="))
    assert len(request.pop("token")) == 8
    assert request == {"from": "2026-01-01", "until": "2026-01-04", "slice": "1d", "replace": True}
    assert (result.exit_code, "3 slices asked for" in result.stderr) == (0, True)


def test_a_dry_run_shows_the_first_slices_and_asks_for_nothing(cluster: Have, tmp_path: Path) -> None:
    cluster()

    told = ask("--from", "2026-01-01", "--until", "2026-02-01", "--slice", "1d", "--dry-run").stdout.splitlines()

    assert told[0] == "slice 1: from 2026-01-01 to 2026-01-02"
    assert told[10] == "and 21 more"
    assert told[11].startswith("lakehouse.dev/backfill: {")
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("arguments", "spec", "said"),
    [
        pytest.param(("--from", "2026-01-01"), {}, "belong together", id="half a range"),
        pytest.param((), {}, "missing", id="no range"),
        pytest.param(("--from", "1", "--until", "2"), {}, "known by its time", id="numbers of files"),
        pytest.param(RANGE, {"suspend": True}, "people is suspended", id="a suspended pipeline"),
        pytest.param((*RANGE, "--timeout", "soon"), {}, "--timeout", id="a timeout that is none"),
    ],
)
def test_what_cannot_be_is_not_asked_for(
    cluster: Have, tmp_path: Path, arguments: tuple[str, ...], spec: dict[str, Any], said: str
) -> None:
    cluster(**spec)

    result = ask(*arguments)

    assert (result.exit_code, said in result.stderr) == (2, True)
    assert not (tmp_path / "asked").exists()


def test_a_backfill_that_is_under_way_is_not_replaced(cluster: Have, tmp_path: Path) -> None:
    cluster(known("Running", progress="3/31"))

    result = ask(*RANGE)

    assert (result.exit_code, "people is being backfilled (3/31 slices" in result.stderr) == (2, True)
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(("state", "code"), [("Succeeded", 0), ("Failed", 1), ("Refused", 1), ("Withdrawn", 1)])
def test_whoever_waits_is_told_how_it_ended(cluster: Have, state: str, code: int) -> None:
    cluster(known(state, reason="Why", message="what came of it"))

    result = ask(*RANGE, "--wait")

    assert (result.exit_code, result.stdout) == (code, f"{state} Why: what came of it\n")


def test_a_backfill_that_does_not_come_is_waited_for_so_long(cluster: Have) -> None:
    cluster({**known("Succeeded"), "id": "another"})

    result = ask(*RANGE, "--wait", "--timeout", "1s")

    assert result.exit_code == 2
    assert "waiting for the next run to start" in result.stderr
