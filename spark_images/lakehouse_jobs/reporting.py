"""What a job leaves behind: the termination message, the full report and the end of its log."""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lakehouse_api.enforcement import ExpectationOutcome
from lakehouse_api.run import RESULT_LIMIT, ExitCode, RunResult, RunSpec
from lakehouse_api.status import Outcome
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.storage import Storage, folder

MESSAGE_LENGTH: Final = 1024
_LEAST_MESSAGE: Final = 80
_LOG: Final = logging.getLogger(__name__)


def failed(failure: JobError) -> RunResult:
    """Write a failure as a result."""
    return RunResult(
        outcome=Outcome.FAILED,
        reason=failure.reason,
        message=one_line(failure.message),
        retry=failure.code.retried,
    )


def one_line(text: str, limit: int = MESSAGE_LENGTH) -> str:
    """Fit a text into a result's message, or into another limit."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def place_of(run: RunSpec) -> str:
    """Give where a run's report lies, to have `.json`, `.log` and the like appended."""
    return f"{folder(run.report_uri)}/{run.id}"


def exit_code(result: RunResult, failure: JobError | None) -> ExitCode:
    """Give the code that says the same as the result."""
    return ExitCode.DONE if result.outcome is Outcome.SUCCEEDED or failure is None else failure.code


def termination_message(result: RunResult) -> bytes:
    """Write the result in at most RESULT_LIMIT bytes: the message is shortened first, then the rest goes.

    What is left out is in the report. A result that did not fit would be none, and a run that ended well a failed one.
    """
    for smaller in (result, *_smaller(result)):
        data = json.dumps(smaller.document(), ensure_ascii=False, separators=(",", ":")).encode()
        if len(data) <= RESULT_LIMIT:
            return data
    raise ValueError(f"a result of nothing but numbers still has {len(data)} bytes")


def _smaller(result: RunResult) -> Iterator[RunResult]:
    """Give smaller and smaller forms of a result, each without what the one before lacks."""
    for length in (512, 256, _LEAST_MESSAGE):
        result = result.model_copy(update={"message": result.message[:length]})
        yield result
    numbers = {name: value for name, value in result.metrics.items() if not isinstance(value, str)}
    catalog = result.catalog and result.catalog.model_copy(update={"message": result.catalog.message[:_LEAST_MESSAGE]})
    unmet = [each for each in result.expectations if each.outcome is not ExpectationOutcome.MET]
    steps: tuple[dict[str, Any], ...] = (
        {"metrics": numbers, "tables": []},
        {"catalog": catalog},
        {"expectations": unmet},
        {"expectations": []},
    )
    for step in steps:
        result = result.model_copy(update=step)
        yield result


def report(storage: Storage, run: RunSpec, result: RunResult, details: Mapping[str, Any], log: str) -> RunResult:
    """Store the full report and the log; the result is the same if that fails, but says no place."""
    base = place_of(run)
    document = {"run": run.document(), "result": result.document(), **details}
    try:
        storage.replace(f"{base}.log", log)
        storage.replace(f"{base}.json", json.dumps(document, ensure_ascii=False, indent=1))
    except Exception:  # noqa: BLE001 (logged; the run itself ended as it ended)
        _LOG.exception("the report could not be stored at %s.json", base)
        return result
    return result.model_copy(update={"report": f"{base}.json"})


def leave(result: RunResult, place: Path) -> None:
    """Write the termination message where the kubelet reads it."""
    place.write_bytes(termination_message(result))
