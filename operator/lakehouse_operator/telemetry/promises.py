"""The promises of resources as metrics, asked of their status when somebody looks: no series outlives its resource.

These carry names, because an alert must say which table is late; only resources with spec.sla have them.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from lakehouse_operator.core.readings import Reading

_LABELS = ("kind", "namespace", "name", "sla")


class PromiseMetrics(Collector):
    """Shows a reading of each promise of each resource."""

    def __init__(self, readings: Callable[[], Iterable[Reading]]) -> None:
        self._readings = readings

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        met = GaugeMetricFamily(
            "lakehouse_sla_met", "1 while the promise is kept, 0 while it is broken", labels=_LABELS
        )
        age = GaugeMetricFamily("lakehouse_sla_seconds", "Age of the data, or time the run has taken", labels=_LABELS)
        limit = GaugeMetricFamily("lakehouse_sla_limit_seconds", "What spec.sla allows", labels=_LABELS)
        for one in self._readings():
            labels = (one.kind, one.namespace, one.name, one.promise)
            met.add_metric(labels, float(one.met))
            age.add_metric(labels, one.seconds)
            limit.add_metric(labels, one.limit_seconds)
        yield from (met, age, limit)
