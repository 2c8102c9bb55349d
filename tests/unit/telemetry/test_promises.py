"""Promises as Prometheus sees them: what is stored of the resources, at the moment somebody looks."""

from datetime import timedelta
from typing import Any

import pytest

from lakehouse_operator.core.instants import format_time
from lakehouse_operator.core.readings import readings
from lakehouse_operator.telemetry.metrics import Metrics
from lakehouse_operator.telemetry.promises import PromiseMetrics
from tests import gen

BREACH = {"promise": "freshness", "reason": "FreshnessExceeded", "limit": "2h", "since": "2026-11-23T21:00:00Z"}


def _body(sla: dict[str, Any] | None, spec: dict[str, Any] | None = None) -> dict[str, Any]:
    body = gen.pipeline_body(**{"sla": {"freshness": "2h", "maxDuration": "45m"}, **(spec or {})})
    body["status"]["sla"] = sla
    return body


def _shown(*bodies: dict[str, Any]) -> dict[tuple[str, str], float]:
    metrics = Metrics()
    metrics.add(PromiseMetrics(lambda: [one for body in bodies for one in readings(body, gen.NOW)]))
    found = (sample for family in metrics.registry.collect() for sample in family.samples)
    return {(one.name, one.labels["sla"]): one.value for one in found if "sla" in one.labels}


def test_each_promise_has_its_state_its_age_and_its_limit() -> None:
    running = {"slot": "2026-11-23T22:00:00Z", "since": format_time(gen.NOW - timedelta(minutes=10))}

    shown = _shown(_body({"freshAsOf": "2026-11-23T19:00:30Z", "running": running, "breaches": [BREACH]}))

    assert shown == {
        ("lakehouse_sla_met", "freshness"): 0,
        ("lakehouse_sla_met", "maxDuration"): 1,
        ("lakehouse_sla_seconds", "freshness"): 3 * 3600,
        ("lakehouse_sla_seconds", "maxDuration"): 600,
        ("lakehouse_sla_limit_seconds", "freshness"): 7200,
        ("lakehouse_sla_limit_seconds", "maxDuration"): 2700,
    }


def test_a_breach_that_is_over_is_none() -> None:
    over = {**BREACH, "until": "2026-11-23T21:30:00Z"}

    assert _shown(_body({"breaches": [over]}))["lakehouse_sla_met", "freshness"] == 1


def test_before_the_first_success_data_is_as_old_as_the_resource_and_nothing_takes_any_time() -> None:
    shown = _shown(_body({"judgedSince": "2026-11-23T19:00:00Z"}))

    assert shown["lakehouse_sla_seconds", "freshness"] == 3 * 3600 + 30
    assert shown["lakehouse_sla_seconds", "maxDuration"] == 0


UNJUDGED = {
    "nobody has judged it yet": _body(None),
    "it is suspended": _body({"judgedSince": "2026-11-23T19:00:00Z"}, {"suspend": True}),
    "it promises nothing": _body({"breaches": [BREACH]}, {"sla": None}),
    "its promises cannot be read": _body({"breaches": [BREACH]}, {"sla": {"freshness": "often"}}),
}


@pytest.mark.parametrize("body", UNJUDGED.values(), ids=UNJUDGED)
def test_what_is_not_judged_has_no_series(body: dict[str, Any]) -> None:
    assert _shown(body) == {}
