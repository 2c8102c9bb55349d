"""`kubectl lakehouse quarantine`: what becomes of rows that a contract refused.

Rows lie in the lake, to which a person's machine has no keys. So a run of the pipeline does what is asked: an
annotation says what, a run-now token of its own starts it, and the status has what came of it.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from lakehouse_api.annotations import QUARANTINE, RUN_NOW, TENDING
from lakehouse_api.ingest_pipeline import IngestPipelineStatus
from lakehouse_api.kinds import INGEST_PIPELINE
from lakehouse_api.quarantine import QuarantineRequest, RowFilter, Verb
from lakehouse_api.status import Outcome, RunRecord
from lakehouse_operator.cli.cluster import Cluster
from lakehouse_operator.cli.errors import InputError
from lakehouse_operator.cli.reports import columns
from lakehouse_operator.cli.waiting import patience_of, stall_of, status_of, wait_for
from lakehouse_operator.core.slots import Slot


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what all verbs take."""
    options = (
        click.argument("pipeline"),
        click.option("-n", "--namespace", help="Default: that of the context."),
        click.option("--context", "context", help="The context of the kubeconfig."),
        click.option(
            "--reason", "keyword", help="Only rows with a reason of this keyword, such as maxLength or Drift."
        ),
        click.option("--path", help="Only rows with a reason at this JSON Pointer or below it, such as /Phone."),
        click.option("--run", help="Only rows that this run quarantined (column _ingest_run)."),
        click.option("--timeout", default="15m", show_default=True, help="How long to wait for the run."),
        click.option(
            "-o",
            "--output",
            type=click.Choice(["table", "json", "tsv"]),
            default="table",
            show_default=True,
            help="How to print it.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def quarantine() -> None:
    """See, replay or discard rows that a pipeline refused.

    Each command starts one run of the pipeline and waits for its end. It ends with 1 if that run did not succeed.
    """


@quarantine.command()
@_options
def inspect(**given: str | None) -> None:
    """Count open rows by the reasons for which they were refused. No value of a row is shown."""
    _ask(QuarantineRequest(verb=Verb.INSPECT, rows=_filter(given)), given)


@quarantine.command()
@_options
def replay(**given: str | None) -> None:
    """Judge open rows by the contract as it is now; those that it accepts are appended to the table, once.

    The others stay open.
    """
    _ask(QuarantineRequest(verb=Verb.REPLAY, rows=_filter(given)), given)


@quarantine.command()
@click.option("--because", help="Why nobody needs the rows; kept with each.")
@_options
def discard(because: str | None, **given: str | None) -> None:
    """Close open rows: they stay in the quarantine table and are never replayed."""
    _ask(QuarantineRequest(verb=Verb.DISCARD, rows=_filter(given), because=because), given)


def _filter(given: Mapping[str, str | None]) -> RowFilter:
    return RowFilter(keyword=given["keyword"] or None, path=given["path"] or None, run=given["run"] or None)


def _ask(request: QuarantineRequest, given: Mapping[str, str | None]) -> None:
    cluster, name = Cluster(namespace=given["namespace"], context=given["context"]), str(given["pipeline"])
    patience = patience_of(str(given["timeout"]))
    _require_ready(cluster.get(INGEST_PIPELINE, name), name)
    token = f"{TENDING}{secrets.token_hex(4)}"
    cluster.annotate(
        INGEST_PIPELINE, name, {RUN_NOW: token, QUARANTINE: json.dumps(request.document(), ensure_ascii=False)}
    )
    record = _wait(cluster, name, Slot.run_now(token), patience)
    click.echo(_REPORTS[str(given["output"])](record))
    if record.outcome is not Outcome.SUCCEEDED:
        raise click.exceptions.Exit(1)


def _require_ready(manifest: Mapping[str, Any], name: str) -> None:
    """Refuse to take the place of a wish that was not taken yet, and to ask where nothing would run."""
    wished = (manifest["metadata"].get("annotations") or {}).get(RUN_NOW)
    if manifest["spec"].get("suspend"):
        raise InputError(f"{name} is suspended: nothing runs. Resume it first")
    if wished and wished != status_of(manifest).last_handled_run_now:
        raise InputError(f"{name} was asked to run ({RUN_NOW}: {wished}) and has not begun to; ask again when it has")


def _wait(cluster: Cluster, name: str, slot: Slot, patience: float) -> RunRecord:
    """Wait until the status has the run's end."""

    def ended(status: IngestPipelineStatus) -> RunRecord | None:
        return next((one for one in _records(status) if one.slot == slot.text), None)

    return wait_for(cluster, name, ended=ended, doing=lambda status: _under_way(status, slot), patience=patience)


def _records(status: IngestPipelineStatus) -> Iterator[RunRecord]:
    yield from status.history
    if status.last_run:
        yield status.last_run


def _under_way(status: IngestPipelineStatus, slot: Slot) -> str:
    for run in status.active:
        return f"{run.id} is {run.phase.lower()}" if run.slot == slot.text else f"waiting for {run.id} to end"
    if status.retry and status.retry.slot == slot.text:
        return f"to be tried again at {status.retry.not_before}: {status.retry.reason}: {status.retry.message}"
    return stall_of(status) or "waiting for the run to start"


# --- what came of it ------------------------------------------------------------------------------------------------


def _rows(record: RunRecord) -> list[tuple[str, str, str]]:
    reasons = json.loads(record.metrics.get("reasons") or "[]")
    return [(str(one["rows"]), one["keyword"], one["path"] or "/") for one in reasons]


def _table(record: RunRecord) -> str:
    said = f"{record.outcome} {record.reason}: {record.message}"
    rows = _rows(record)
    return "\n\n".join([said, columns(("ROWS", "REASON", "PATH"), rows)]) if rows else said


def _json(record: RunRecord) -> str:
    reasons = {"reasons": json.loads(record.metrics["reasons"])} if "reasons" in record.metrics else {}
    document = {**record.document(), "metrics": {**record.metrics, **reasons}}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _tsv(record: RunRecord) -> str:
    numbers = [(name, str(value)) for name, value in sorted(record.metrics.items()) if name != "reasons"]
    return "\n".join("\t".join(row) for row in (_rows(record) or numbers))


_REPORTS = {"table": _table, "json": _json, "tsv": _tsv}
