"""What a batch did, in the form in which it is committed with the data, kept beside the table and reported."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Self

from pydantic import Field

from lakehouse_api.enforcement import ExpectationOutcome, ExpectationResult
from lakehouse_api.model import Model
from lakehouse_api.run import IngestTarget, RunResult, TableResult
from lakehouse_api.status import Outcome
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.source import Idle
from lakehouse_jobs.ingest.work import FilesWork, OffsetsWork, ReplayWork
from lakehouse_jobs.reporting import one_line

NAMES_SHOWN = 5
NAME_LENGTH = 120


class RefusalCount(Model):
    """How many rows had one defect. A row can have several."""

    path: str
    keyword: str
    rows: int


class BatchOutcome(Model):
    """The counts of one committed batch. All but the version follow from the plan alone, so a retry gives the same."""

    batch: int
    run: str
    rows_read: int
    rows_written: int
    rows_quarantined: int
    files_read: int
    bytes_read: int
    offsets_read: Annotated[int, Field(description="Of a topic. Not every offset holds a message.")] = 0
    offsets_lost: Annotated[tuple[str, ...], Field(description="Gone before they were read, as was accepted.")] = ()
    offsets_aged: Annotated[
        tuple[str, ...], Field(description="Gone, and perhaps of the range that was to be read again.")
    ] = ()
    rows_replayed: Annotated[int, Field(description="Read from quarantine; those refused again stay there.")] = 0
    newest_input: str | None = None
    files_rewritten: tuple[str, ...] = ()
    columns_ignored: tuple[str, ...] = ()
    columns_missing: tuple[str, ...] = ()
    columns_evolved: Annotated[
        tuple[str, ...], Field(description="How the table's columns changed before the batch was written.")
    ] = ()
    refusals: tuple[RefusalCount, ...] = ()
    expectations: tuple[ExpectationResult, ...] = ()
    rows_inserted: int | None = None
    rows_updated: int | None = None
    rows_deleted: int | None = None
    merged_version: int | None = None
    table_version: int | None = None
    quarantine_version: int | None = None

    @classmethod
    def of(cls, plan: Plan, *, rows_read: int, rows_quarantined: int, **more: Any) -> Self:
        """Count what a batch did; what the plan says of its input is taken from there."""
        files = plan.work.files if isinstance(plan.work, FilesWork) else []
        topic = plan.work if isinstance(plan.work, OffsetsWork) else None
        return cls(
            batch=plan.batch,
            run=plan.run,
            rows_read=rows_read,
            rows_written=rows_read - rows_quarantined,
            rows_quarantined=rows_quarantined,
            files_read=len(files),
            bytes_read=sum(file.size for file in files),
            offsets_read=topic.offsets if topic else 0,
            offsets_lost=tuple(each.shown for each in topic.lost) if topic else (),
            offsets_aged=tuple(each.shown for each in topic.aged) if topic else (),
            rows_replayed=rows_read if isinstance(plan.work, ReplayWork) else 0,
            newest_input=None if plan.backfill else plan.work.newest_input,
            **more,
        )


def ingested(target: IngestTarget, outcomes: Sequence[BatchOutcome], *, reason: str) -> RunResult:
    """Tell what a run's batches did together, usually one."""
    last = outcomes[-1]
    return RunResult(
        outcome=Outcome.SUCCEEDED,
        reason=reason,
        message=one_line(_message(outcomes)),
        metrics=_metrics(outcomes),
        expectations=list(last.expectations),
        tables=[
            TableResult(table=target.table, version=last.table_version, rows=_sum(outcomes, "rows_written")),
            TableResult(
                table=f"{target.table}__quarantine",
                version=last.quarantine_version,
                rows=_sum(outcomes, "rows_quarantined"),
            ),
            *_derived(target, outcomes),
        ],
    )


def _derived(target: IngestTarget, outcomes: Sequence[BatchOutcome]) -> list[TableResult]:
    """Tell of the table that is merged from the target, if there is one."""
    if not (target.merge and target.merge.into):
        return []
    rows = _sum(outcomes, "rows_inserted") + _sum(outcomes, "rows_updated")
    return [TableResult(table=target.merge.into, version=outcomes[-1].merged_version, rows=rows)]


def idle(because: Idle, *, version: int | None) -> RunResult:
    """Tell that there was nothing to do."""
    metrics: dict[str, int | float | str] = {"rowsRead": 0, "rowsWritten": 0, "rowsQuarantined": 0, "filesRead": 0}
    if version is not None:
        metrics["tableVersion"] = version
    if because.newest_input:
        metrics["newestInputTime"] = because.newest_input
    return RunResult(
        outcome=Outcome.SUCCEEDED, reason=because.reason, message=one_line(because.message), metrics=metrics
    )


def _metrics(outcomes: Sequence[BatchOutcome]) -> dict[str, int | float | str]:
    counts = ("rows_read", "rows_written", "rows_quarantined", "files_read", "bytes_read")
    last = outcomes[-1]
    metrics: dict[str, int | float | str] = {
        BatchOutcome.model_fields[name].alias or name: _sum(outcomes, name) for name in counts
    }
    named = {
        "offsetsRead": _sum(outcomes, "offsets_read") or None,
        "offsetsLost": shown(_union(outcomes, "offsets_lost")),
        "offsetsAged": shown(_union(outcomes, "offsets_aged")),
        "rowsReplayed": _sum(outcomes, "rows_replayed") or None,
        "filesRewritten": len(_union(outcomes, "files_rewritten")) or None,
        "batch": last.batch,
        "tableVersion": last.table_version,
        "newestInputTime": max((each.newest_input for each in outcomes if each.newest_input), default=None),
        "refusals": _refusals(outcomes),
        "columnsIgnored": shown(_union(outcomes, "columns_ignored")),
        "columnsMissing": shown(_union(outcomes, "columns_missing")),
        "columnsEvolved": shown(_union(outcomes, "columns_evolved")),
    }
    merged = {f"rows{name}": _sum(outcomes, f"rows_{name.lower()}") for name in ("Inserted", "Updated", "Deleted")}
    metrics |= merged if any(each.rows_inserted is not None for each in outcomes) else {}
    return metrics | {name: value for name, value in named.items() if value not in {None, ""}}


def _message(outcomes: Sequence[BatchOutcome]) -> str:
    written, refused = _sum(outcomes, "rows_written"), _sum(outcomes, "rows_quarantined")
    counted = {"files": "files_read", "offsets": "offsets_read", "quarantined rows": "rows_replayed"}
    inputs = {name: _sum(outcomes, field) for name, field in counted.items()}
    read = "".join(f", from {count} {name}" for name, count in inputs.items() if count)
    parts = [f"{written} rows written, {refused} quarantined{read}."]
    notes = (
        ("Lost before they were read, as source.kafka.lostOffsets accepts: {}.", _union(outcomes, "offsets_lost")),
        ("Aged out, so not read again whatever of the range they held: {}.", _union(outcomes, "offsets_aged")),
        ("Files read again because they were rewritten: {}.", _union(outcomes, "files_rewritten")),
        ("Columns not in the contract, not written: {}.", _union(outcomes, "columns_ignored")),
        ("Columns of the contract that the source lacks: {}.", _union(outcomes, "columns_missing")),
        ("Columns of the table that changed: {}.", _union(outcomes, "columns_evolved")),
        ("Expectations not met: {}.", _unmet(outcomes)),
    )
    parts += [text.format(shown(names)) for text, names in notes if names]
    if refused:
        parts.append(f"Most frequent refusals: {_refusals(outcomes)}.")
    return " ".join(parts)


def _unmet(outcomes: Sequence[BatchOutcome]) -> list[str]:
    results = [result for outcome in outcomes for result in outcome.expectations]
    unmet = (result for result in results if result.outcome is not ExpectationOutcome.MET)
    return [f"{result.name} ({result.found or f'{result.rows} rows'})" for result in unmet]


def _refusals(outcomes: Sequence[BatchOutcome]) -> str:
    totals: dict[str, int] = {}
    for each in (count for outcome in outcomes for count in outcome.refusals):
        name = f"{each.path} {each.keyword}".strip()
        totals[name] = totals.get(name, 0) + each.rows
    ranked = sorted(totals, key=lambda name: (-totals[name], name))
    return shown([f"{name} ({totals[name]})" for name in ranked])


def shown(names: Iterable[str]) -> str:
    """Name the first few and count the rest."""
    every = list(names)
    rest = len(every) - NAMES_SHOWN
    return ", ".join(map(_shortened, every[:NAMES_SHOWN])) + (f" and {rest} more" if rest > 0 else "")


def _shortened(name: str) -> str:
    """Leave out the middle: of a path, the end tells most."""
    rest = NAME_LENGTH // 4
    return name if len(name) <= NAME_LENGTH else f"{name[:rest]}…{name[rest - NAME_LENGTH :]}"


def _sum(outcomes: Sequence[BatchOutcome], name: str) -> int:
    return sum(getattr(each, name) or 0 for each in outcomes)


def _union(outcomes: Sequence[BatchOutcome], name: str) -> list[str]:
    return list(dict.fromkeys(item for each in outcomes for item in getattr(each, name)))
