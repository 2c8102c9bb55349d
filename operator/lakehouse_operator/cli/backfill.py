"""`kubectl lakehouse backfill`: read a range of a pipeline's source once more.

The annotation says what; the operator cuts it into slices and runs them between the runs that are due.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import click
from pydantic import ValidationError

from lakehouse_api.annotations import BACKFILL
from lakehouse_api.backfill import BackfillRange, BackfillState, BackfillStatus
from lakehouse_api.ingest_pipeline import IngestPipelineSpec, IngestPipelineStatus
from lakehouse_api.kinds import INGEST_PIPELINE
from lakehouse_operator.cli.cluster import Cluster
from lakehouse_operator.cli.errors import InputError
from lakehouse_operator.cli.waiting import patience_of, stall_of, status_of, wait_for
from lakehouse_operator.core.backfill import backfill_id, slices_asked

_SLICES_SHOWN = 10


@click.command()
@click.argument("pipeline")
@click.option("-n", "--namespace", help="Default: that of the context.")
@click.option("--context", help="The context of the kubeconfig.")
@click.option("--from", "from", help="The first value of the cursor, or the first time, that is read again.")
@click.option("--until", help="The first that is not.")
@click.option("--prefix", help="Of files: only those below this path in the source's folder.")
@click.option(
    "--slice", "slice", help="Read so much in each batch: 1d, 6h, or of numbers 100000. Default: all at once."
)
@click.option(
    "--replace", is_flag=True, help="Replace what the table has of the range, instead of adding what it lacks."
)
@click.option("--dry-run", is_flag=True, help="Ask for nothing; show the slices and the annotation.")
@click.option("--wait", is_flag=True, help="Wait for the end of the last slice.")
@click.option("--timeout", default="24h", show_default=True, help="How long to wait for it.")
def backfill(**given: Any) -> None:
    """Read a range of a pipeline's source once more, from FROM up to, not including, UNTIL.

    Only what was read before is read again. With --wait it ends with 1 if the backfill did not succeed.
    """
    cluster, name = Cluster(namespace=given["namespace"], context=given["context"]), str(given["pipeline"])
    patience = patience_of(str(given["timeout"]))
    manifest, text = cluster.get(INGEST_PIPELINE, name), _annotation(given)
    slices = _slices(manifest, text)
    if given["dry_run"]:
        click.echo(_shown(slices, text))
        return
    _require_ready(manifest, name)
    cluster.annotate(INGEST_PIPELINE, name, {BACKFILL: text})
    click.echo(f"{name}: {len(slices)} slices asked for; status.backfill tells how far they are", err=True)
    if given["wait"]:
        _wait(cluster, name, backfill_id(text), patience)


def _annotation(given: Mapping[str, Any]) -> str:
    """Write the request, with a token so that the same range can be asked for again."""
    asked = {key: given[key] for key in ("from", "until", "prefix", "slice", "replace") if given[key]}
    return json.dumps({**asked, "token": secrets.token_hex(4)}, ensure_ascii=False)


def _slices(manifest: Mapping[str, Any], text: str) -> list[BackfillRange]:
    try:
        return slices_asked(text, IngestPipelineSpec.model_validate(manifest["spec"]))
    except ValidationError as error:
        raise InputError(f"the pipeline's spec is of another version than this plugin: {error}") from error
    except ValueError as error:
        raise InputError(str(error)) from error


def _shown(slices: Sequence[BackfillRange], text: str) -> str:
    lines = [f"slice {number}: {one.shown}" for number, one in enumerate(slices[:_SLICES_SHOWN], 1)]
    rest = len(slices) - _SLICES_SHOWN
    return "\n".join([*lines, *([f"and {rest} more"] if rest > 0 else []), f"{BACKFILL}: {text}"])


def _require_ready(manifest: Mapping[str, Any], name: str) -> None:
    """Refuse to take the place of a backfill that is under way, and to ask where nothing would run."""
    known = status_of(manifest).backfill
    if manifest["spec"].get("suspend"):
        raise InputError(f"{name} is suspended: nothing runs. Resume it first")
    if known and known.state is BackfillState.RUNNING:
        raise InputError(
            f"{name} is being backfilled ({known.progress} slices of {known.request}). Wait for it, or end it: "
            f"kubectl annotate ingestpipeline {name} {BACKFILL}-"
        )


def _wait(cluster: Cluster, name: str, asked: str, patience: float) -> None:
    def ended(status: IngestPipelineStatus) -> BackfillStatus | None:
        known = status.backfill
        return known if known and known.id == asked and known.state is not BackfillState.RUNNING else None

    known = wait_for(cluster, name, ended=ended, doing=lambda status: _under_way(status, asked), patience=patience)
    click.echo(f"{known.state} {known.reason}: {known.message}")
    if known.state is not BackfillState.SUCCEEDED:
        raise click.exceptions.Exit(1)


def _under_way(status: IngestPipelineStatus, asked: str) -> str:
    progress = status.backfill.progress if status.backfill and status.backfill.id == asked else None
    runs = ", ".join(f"{run.id} is {run.phase.lower()}" for run in status.active)
    return f"{progress or '0'} slices done; {stall_of(status) or runs or 'waiting for the next run to start'}"
