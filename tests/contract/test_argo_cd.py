"""Argo CD's health check of our kinds, run by the Lua that Argo CD speaks."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

from lakehouse_dev import paths
from lakehouse_dev.chart import CHART
from lakehouse_operator.core.conditions import Judgement, not_ready, ready, reconciling, stalled, unproven

SCRIPT = CHART / "files" / "argocd" / "health.lua"
GUIDE = paths.REPOSITORY / "docs" / "how-to" / "argo-cd.md"


def _health(*judgements: Judgement, observed: int = 2, suspend: bool = False) -> tuple[str, str]:
    """Give what Argo CD shows of a resource of generation 2: its health and the words beside it."""
    conditions = [{"type": j.type, "status": j.status, "reason": j.reason, "message": j.message} for j in judgements]
    body = {
        "metadata": {"generation": 2},
        "spec": {"suspend": suspend},
        "status": {"observedGeneration": observed, **({"conditions": conditions} if conditions else {})},
    }
    lua = lua51.LuaRuntime()
    lua.globals().obj = lua.table_from(body, recursive=True)
    found = lua.execute(SCRIPT.read_text())
    return found["status"], found["message"]


WELL = ready("Ingested", "the last run succeeded")
FAILED = not_ready("OutOfMemory", "raise the memory")
CASES: dict[str, tuple[tuple[Judgement, ...], str]] = {
    "its last run succeeded": ((WELL,), "Healthy"),
    "its last run failed and the next slot will try": ((FAILED,), "Degraded"),
    "it cannot run": ((FAILED, stalled("NotAllowed", "see settings.tenancy")), "Degraded"),
    "it is tried again": ((unproven("AccessDenied", "shut"), reconciling("Retrying", "shut")), "Progressing"),
    "a new spec is unproven": ((WELL, reconciling("Unproven", "no run yet")), "Progressing"),
    "its first run has not ended": ((unproven("RunRunning", "the first run has not ended"),), "Progressing"),
    "nobody has judged it": ((), "Progressing"),
}


@pytest.mark.parametrize(("judgements", "health"), CASES.values(), ids=CASES)
def test_the_health_of_a_resource_when(judgements: tuple[Judgement, ...], health: str) -> None:
    assert _health(*judgements)[0] == health


def test_a_change_that_the_operator_has_not_seen_is_progressing() -> None:
    assert _health(WELL, observed=1)[0] == "Progressing"


def test_a_suspended_resource_is_suspended_however_its_last_run_ended() -> None:
    assert _health(FAILED, suspend=True)[0] == "Suspended"


def test_what_stalls_a_resource_is_told() -> None:
    assert _health(FAILED, stalled("NotAllowed", "see settings.tenancy")) == ("Degraded", "see settings.tenancy")


def _snippet(page: Path) -> Any:
    return yaml.safe_load(page.read_text().split("```yaml\n")[1].split("```")[0])


def test_the_guide_shows_the_script_of_the_chart() -> None:
    customizations = yaml.safe_load(_snippet(GUIDE)["configs"]["cm"]["resource.customizations"])

    assert customizations == {"lakehouse.dev/*": {"health.lua": SCRIPT.read_text()}}
