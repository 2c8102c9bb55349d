"""Alerts and guides speak of metrics that the operator has."""

import re

import pytest

from lakehouse_dev import paths
from lakehouse_operator.core.config import Config
from lakehouse_operator.kube.access import Access
from lakehouse_operator.main import Operator
from lakehouse_operator.settings import parse_options
from tests.chart.conftest import Helm, environment, of_kind

METRIC = re.compile(r"\blakehouse_[a-z_]+")


@pytest.fixture(scope="module")
def metrics() -> set[str]:
    """Give the names of all metrics of an operator that has not begun to work."""
    config = Config.model_validate({"lake": {"uri": "s3://lake"}, "spark": {"image": "spark"}})
    options = parse_options(["--settings=unused.yaml"], {})
    operator = Operator(options=options, config=config, access=Access(server="https://nowhere.example"))
    return set(re.findall(r"^# TYPE (\S+)", operator.metrics.page().decode(), re.MULTILINE))


def test_every_alert_is_about_a_metric_that_exists(helm: Helm, metrics: set[str]) -> None:
    [rule] = of_kind(helm.render(*environment("prod")), "PrometheusRule")
    alerts = [alert for group in rule["spec"]["groups"] for alert in group["rules"]]
    named = {name for alert in alerts for name in METRIC.findall(alert["expr"])}

    assert len(alerts) == len({alert["alert"] for alert in alerts}) > 0
    assert named <= metrics


def test_every_metric_of_the_guide_for_people_on_call_exists(metrics: set[str]) -> None:
    text = (paths.REPOSITORY / "docs" / "how-to" / "on-call.md").read_text()
    named = {name for cell in re.findall(r"`(lakehouse_[^`]+)`", text) for name in METRIC.findall(cell)}

    assert named
    assert named <= metrics
