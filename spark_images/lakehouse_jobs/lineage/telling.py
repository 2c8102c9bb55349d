"""What a driver tells an endpoint of its run, if the environment has one; whatever becomes of that, the run goes on."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from pyspark.sql import SparkSession

from lakehouse_api.lineage import KEY_VARIABLE
from lakehouse_api.run import RunResult, RunSpec
from lakehouse_jobs.failures import ExpectationsFailed, JobError
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.lineage.emitter import Emitter, Lost
from lakehouse_jobs.lineage.events import Events
from lakehouse_jobs.lineage.facets import Document
from lakehouse_jobs.lineage.seen import Seen
from lakehouse_jobs.reporting import one_line, place_of
from lakehouse_jobs.storage import Storage

LOST: Final = "lineageEventsLost"
"""The metric that counts events which the endpoint did not take."""
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One run's events, and the way to the endpoint, if there is one."""

    events: Events
    emitter: Emitter | None

    @classmethod
    def begin(cls, run: RunSpec, environment: Mapping[str, str], now: str) -> Self:
        """Tell that a run begins, after what is left to tell of attempts before it."""
        lineage = run.lineage
        if lineage is None:
            return cls(events=Events(run=run, namespace=""), emitter=None)
        events = Events(run=run, namespace=lineage.endpoint.namespace)
        telling = cls(events=events, emitter=Emitter(lineage.endpoint, environment.get(KEY_VARIABLE)))
        telling._send(lambda: [*map(events.untold, lineage.untold), events.started(now)])
        return telling

    def completed(self, spark: SparkSession, result: RunResult, batches: Sequence[BatchOutcome], now: str) -> RunResult:
        """Tell what the run did, and give its result, which says so if that was lost."""
        run = self.events.run
        self._send(lambda: [self.events.completed(now, result, batches, Seen.by(spark, run, batches))])
        return self._ended(spark, result)

    def failed(self, spark: SparkSession | None, result: RunResult, failure: JobError, now: str) -> RunResult:
        """Tell why the run failed, likewise; `spark` is None when it never got so far."""
        found = failure.results if isinstance(failure, ExpectationsFailed) else ()
        self._send(lambda: [self.events.failed(now, result, found)])
        return self._ended(spark, result)

    def _send(self, tell: Callable[[], Iterable[Document]]) -> None:
        if self.emitter is None:
            return
        try:
            for event in tell():
                self.emitter.send(event)
        except Exception:  # noqa: BLE001 (logged; the run goes on)
            _LOG.exception("lineage: an event could not be made")

    def _ended(self, spark: SparkSession | None, result: RunResult) -> RunResult:
        lost = self.emitter.close() if self.emitter else None
        if lost is None:
            return result
        kept = spark is not None and _keep(spark, self.events.run, lost)
        where = "kept beside its report" if kept else "not kept"
        told = f"Lineage: {len(lost.events)} events of the run were not taken by {lost.why}; {where}."
        _LOG.warning("%s", told)
        message = one_line(f"{result.message} {told}".strip())
        return result.model_copy(update={"message": message, "metrics": {**result.metrics, LOST: len(lost.events)}})


def _keep(spark: SparkSession, run: RunSpec, lost: Lost) -> bool:
    """Store events that were not taken beside the run's report, one a line; tell whether that went well."""
    place = f"{place_of(run)}.lineage.ndjson"
    try:
        Storage(spark).replace(place, "".join(f"{json.dumps(event, ensure_ascii=False)}\n" for event in lost.events))
    except Exception:  # noqa: BLE001 (logged; the run goes on)
        _LOG.warning("lineage: lost events could not be kept at %s", place, exc_info=True)
        return False
    _LOG.warning("lineage: lost events are kept at %s", place)
    return True
