"""What the operator counts of itself, for Prometheus. Labels are bounded: kinds, verbs and codes, never names.

Promises are the exception; see telemetry/promises.py.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconciles = self._counter("reconcile", "Reconciles by how they ended", "kind", "result")
        self.reconcile_seconds = self._histogram("reconcile_duration_seconds", "Time of a reconcile", _SECONDS, "kind")
        self.launches = self._counter("launches", "Attempts whose driver Pod was created or adopted", "kind")
        self.refusals = self._counter("launch_refusals", "Launches the cluster refused", "kind", "reason")
        self.api_requests = self._counter("api_requests", "Calls to the API server; code 0: no answer", "verb", "code")
        self.watch_events = self._counter("watch_events", "Events received by watches", "kind")
        self.last_event = Gauge(
            "lakehouse_watch_last_event_timestamp_seconds",
            "When a watch of this kind last brought something",
            ["kind"],
            registry=self.registry,
        )
        self.repairs = self._counter("resync_repairs", "Differences a resync found that no watch had brought", "kind")
        self.notifications = self._counter("notifications", "Attempts to tell somebody of an SLA", "channel", "result")
        self.events_dropped = self._counter("events_dropped", "Kubernetes events not posted because of their number")

    def gauges(self, functions: Iterable[tuple[str, str, Callable[[], float]]]) -> None:
        """Show values that are asked for when somebody looks: name, description, function."""
        for name, text, function in functions:
            Gauge(f"lakehouse_{name}", text, registry=self.registry).set_function(function)

    def add(self, collector: Collector) -> None:
        """Show what a collector finds when somebody looks."""
        self.registry.register(collector)

    def count_notification(self, channel: str, result: str) -> None:
        """Count one attempt to bring a message to a channel of this kind."""
        self.notifications.labels(channel, result).inc()

    def count_call(self, verb: str, code: int) -> None:
        """Count one call to the API server."""
        self.api_requests.labels(verb, str(code)).inc()

    def page(self) -> bytes:
        """Give all metrics as text."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"lakehouse_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"lakehouse_{name}", text, labels, buckets=buckets, registry=self.registry)
