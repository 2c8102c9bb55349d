"""Waiting for what a pipeline was asked for: its status is looked at until it tells the end."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from lakehouse_api.ingest_pipeline import IngestPipelineStatus
from lakehouse_api.kinds import INGEST_PIPELINE
from lakehouse_api.quantities import parse_duration
from lakehouse_operator.cli.cluster import Cluster
from lakehouse_operator.cli.errors import InputError

Found = TypeVar("Found")

EVERY = 2.0
"""Seconds between two looks at the status."""


def patience_of(text: str) -> float:
    """Read `--timeout`, in seconds."""
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise InputError(f"--timeout: {error}") from error


def status_of(manifest: Mapping[str, Any]) -> IngestPipelineStatus:
    """Read the status of a pipeline as the cluster has it."""
    return IngestPipelineStatus.model_validate(manifest.get("status") or {}, extra="ignore")


def stall_of(status: IngestPipelineStatus) -> str | None:
    """Say what keeps a pipeline from running until a person changes something."""
    stalled = next((one for one in status.conditions if one.type == "Stalled"), None)
    return f"{stalled.reason}: {stalled.message}" if stalled else None


def wait_for(
    cluster: Cluster,
    name: str,
    *,
    ended: Callable[[IngestPipelineStatus], Found | None],
    doing: Callable[[IngestPipelineStatus], str],
    patience: float,
) -> Found:
    """Look until `ended` gives something, telling what is under way; raise InputError after so many seconds."""
    until, told = time.monotonic() + patience, ""
    while True:
        status = status_of(cluster.get(INGEST_PIPELINE, name))
        found = ended(status)
        if found is not None:
            return found
        now = doing(status)
        if now != told:
            click.echo(now, err=True)
            told = now
        if time.monotonic() > until:
            raise InputError(f"it has not ended in time ({now}); it goes on, and its end will be in the status")
        time.sleep(EVERY)
