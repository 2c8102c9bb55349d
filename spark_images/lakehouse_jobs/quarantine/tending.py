"""The verbs that write no row to the table: inspect counts what is in quarantine, discard closes it."""

import json
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.quarantine import QuarantineRequest, RowFilter, Verb
from lakehouse_api.run import RunResult, RunSpec
from lakehouse_api.status import Outcome
from lakehouse_jobs.ingest.source import Surroundings
from lakehouse_jobs.quarantine.table import DISCARDED, REPLAYED, Mark, Quarantine

_LONGEST: Final = 1800
"""Characters of JSON that fit into a result beside the rest."""


def tend(at: Surroundings, request: QuarantineRequest) -> RunResult:
    """Do what a request asks, which is not to replay."""
    quarantine = Quarantine(at.spark, at.run.job.target.quarantine_uri)
    if not quarantine.exists:
        return _result("QuarantineEmpty", f"{at.run.job.target.table} never had a row refused.", {"rowsOpen": 0})
    quarantine.prepare()
    return _discard(quarantine, at, request) if request.verb is Verb.DISCARD else _inspect(quarantine, request.rows)


def _discard(quarantine: Quarantine, at: Surroundings, request: QuarantineRequest) -> RunResult:
    """The request marks the rows, not the attempt: a retry finds them marked, and counts them."""
    mark = Mark(status=DISCARDED, by=_request_id(at.run), time=at.now, reason=request.because)
    count = quarantine.discard(request.rows, mark)
    return _result("Discarded", f"{count} rows discarded.", {"rowsDiscarded": count})


def _request_id(run: RunSpec) -> str:
    return f"{run.app_id} {run.slot}"


def _inspect(quarantine: Quarantine, rows: RowFilter) -> RunResult:
    found, counts = quarantine.open_rows(rows), quarantine.statuses()
    meant = found.count()
    metrics: dict[str, int | float | str] = {
        "rowsOpen": meant,
        "rowsReplayed": counts.get(REPLAYED, 0),
        "rowsDiscarded": counts.get(DISCARDED, 0),
        "reasons": _reasons(found),
    }
    return _result("Inspected", f"{meant} open rows.", metrics)


def _reasons(rows: DataFrame) -> str:
    """Count rows by path and keyword, as JSON; never a value of a row. The most frequent come first, as many as fit."""
    kinds = F.array_distinct(F.transform("reasons", lambda one: F.struct(one["path"], one["keyword"])))
    exploded = rows.select(F.explode(kinds).alias("kind")).select("kind.path", "kind.keyword")
    ranked = exploded.groupBy("path", "keyword").count().orderBy(F.desc("count"), "path", "keyword").limit(50)
    told = [{"path": row.path, "keyword": row.keyword, "rows": int(row["count"])} for row in ranked.collect()]
    while len(json.dumps(told)) > _LONGEST:
        told.pop()
    return json.dumps(told)


def _result(reason: str, message: str, metrics: dict[str, int | float | str]) -> RunResult:
    return RunResult(outcome=Outcome.SUCCEEDED, reason=reason, message=message, metrics=metrics)
