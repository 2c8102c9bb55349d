"""What a run gets to tell of itself, and of attempts before it that could not tell."""

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from lakehouse_api.lineage import KEY_VARIABLE
from lakehouse_api.run import RunResult
from lakehouse_dev import paths
from lakehouse_operator.core import ingest_pipeline
from lakehouse_operator.core.config import OpenLineage
from lakehouse_operator.core.drivers import CONTAINER
from tests import gen
from tests.world import World, scheduled

URL = "https://lineage.example.com/api/v1/lineage"
SETTINGS = {"url": URL, "namespace": "prod-eu", "secretRef": {"name": "openlineage", "key": "apiKey"}}


def world() -> World:
    found = scheduled()
    found.config = gen.config(openLineage=SETTINGS)
    return found


def launched(world: World, *, after: timedelta = timedelta(hours=1)) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let time pass until a run is due; give its run.json and its Pod."""
    world.pass_time(after)
    for _ in range(3):
        plan = ingest_pipeline.reconcile(world.resource, world.seen(), world.now, world.config)
        if plan.launch:
            break
        world.reconcile()
    assert plan.launch is not None
    world.settle()
    return json.loads(plan.launch.config_map["data"]["run.json"]), plan.launch.pod


def end(world: World, **how: Any) -> None:
    world.start_driver()
    world.settle()
    world.end_driver(**how)
    world.settle()


def untold(run: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(one["id"], one["attempt"], one["reason"]) for one in run["lineage"].get("untold", [])]


def test_a_run_knows_the_endpoint_and_its_pod_the_key() -> None:
    run, pod = launched(world())

    assert run["lineage"]["endpoint"] == {"url": URL, "namespace": "prod-eu", "timeout": "5s"}
    assert "openlineage" not in json.dumps(run)
    (container,) = (one for one in pod["spec"]["containers"] if one["name"] == CONTAINER)
    (key,) = (one for one in container["env"] if one["name"] == KEY_VARIABLE)
    assert key["valueFrom"]["secretKeyRef"] == {"name": "openlineage", "key": "apiKey", "optional": True}


def test_an_environment_without_an_endpoint_tells_nothing() -> None:
    run, pod = launched(scheduled())

    assert "lineage" not in run
    assert KEY_VARIABLE not in json.dumps(pod)


def test_the_next_attempt_tells_of_one_that_left_nothing_and_only_the_next() -> None:
    here = world()
    first, _ = launched(here)
    end(here, code=137, reason="OOMKilled")

    retry, _ = launched(here, after=timedelta(minutes=30))
    end(here, result=gen.succeeded())
    later, _ = launched(here)

    assert untold(retry) == [(first["id"], 1, "OutOfMemory")]
    assert untold(later) == [], "it was told"


def test_two_that_left_nothing_are_both_told_of_oldest_first() -> None:
    here = world()
    first, _ = launched(here)
    end(here, code=1)
    second, _ = launched(here, after=timedelta(minutes=30))
    end(here, code=137, reason="OOMKilled")

    third, _ = launched(here)

    assert untold(third) == [(first["id"], 1, "DriverFailed"), (second["id"], 2, "OutOfMemory")]


def test_one_that_told_itself_is_not_told_of_again() -> None:
    here = world()
    launched(here)
    failed = RunResult(outcome="Failed", reason="SourceMissing", report="s3://lake/_runs/1.json")
    end(here, code=64, result=failed)

    retry, _ = launched(here)

    assert untold(retry) == []


@pytest.mark.parametrize("attempts", [pytest.param(1, id="after its slot"), pytest.param(3, id="within its slot")])
def test_one_whose_pod_is_gone_is_told_of_from_the_status(attempts: int) -> None:
    here = world()
    here.edit(retry={"maxAttempts": attempts})
    first, _ = launched(here)
    end(here, code=1)
    here.pods.clear()

    later, _ = launched(here, after=timedelta(minutes=30) if attempts > 1 else timedelta(hours=1))

    assert untold(later) == [(first["id"], 1, "DriverFailed")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"url": "http://lineage/"}, "allowHttp is not set", id="no TLS"),
        pytest.param({"url": "https://user:pass@lineage/"}, "should match pattern", id="a password in the URL"),
        pytest.param({"url": "https://lineage/?key=1"}, "should match pattern", id="a query in the URL"),
        pytest.param({"timeout": "0s"}, "greater than or equal", id="no patience at all"),
        pytest.param({"timeout": "5m"}, "less than or equal", id="patience that would hold up runs"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OpenLineage.model_validate({**SETTINGS, **changes})


def test_the_guide_shows_settings_that_the_operator_takes() -> None:
    guide = (paths.REPOSITORY / "docs" / "how-to" / "lineage.md").read_text()
    shown = yaml.safe_load(guide.partition("```yaml\n")[2].partition("```")[0])["settings"]

    found = gen.config(**shown).open_lineage

    assert found is not None
    fields = OpenLineage.model_json_schema()["properties"]
    assert [name for name in fields if f"| `{name}` |" not in guide] == []


def test_an_endpoint_without_tls_must_be_allowed() -> None:
    found = OpenLineage.model_validate({**SETTINGS, "url": "http://marquez:5000/api/v1/lineage", "allowHttp": True})

    assert found.endpoint.url == "http://marquez:5000/api/v1/lineage"
