"""What `make check`, `verify`, `test-fast` and `test` run: named steps, each timed, all of them even if one fails.

The slow ones go in two lanes side by side: the jobs' tests keep one core busy, those of the operator and of the node
wait for most of their time. What a step beside another prints is kept until it has ended, so that it can be read.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

import click

from lakehouse_dev import paths
from lakehouse_dev.progress import say

_PYTHON = (sys.executable, "-m")
_REPORTS = paths.REPOSITORY / "build" / "reports"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command and what it is good for."""

    name: str
    command: tuple[str, ...]
    about: str
    report: Path | None = None
    """Where pytest leaves its counts."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a step ended, and how many seconds it took."""

    step: Step
    passed: bool
    seconds: float
    tests: Counter[str]


CHECK = (
    Step(name="format", command=("ruff", "format", "--check", "--quiet", "."), about="ruff format"),
    Step(name="lint", command=("ruff", "check", "--quiet", "."), about="ruff, every rule"),
    Step(name="types", command=("mypy",), about="mypy --strict"),
    Step(name="test types", command=("mypy", "tests"), about="the same for the tests"),
    Step(name="imports", command=("lint-imports", "--no-logo"), about="imports go one way"),
)
VERIFY = (
    Step(name="crds", command=(*_PYTHON, "lakehouse_dev.crds", "--check"), about="crds/ is what the models say"),
    Step(name="chart files", command=(*_PYTHON, "lakehouse_dev.chart", "--check"), about="so are the chart's copies"),
)


def _tests(name: str, about: str, *folders: str, ignored: Sequence[str] = ()) -> Step:
    report = _REPORTS / f"{name}.xml"
    places = (*(f"tests/{each}" for each in folders), *(f"--ignore=tests/{each}" for each in ignored))
    return Step(name=name, command=(*_PYTHON, "pytest", f"--junitxml={report}", *places), about=about, report=report)


_JAVA = (
    "mvn",
    "--batch-mode",
    "--quiet",
    "-Dstyle.color=never",
    "--file",
    "spark_images/java/pom.xml",
    "verify",
)
FAST = (
    _tests(
        "decisions", "pure decisions, golden Plans, properties, contracts", "unit", "golden", "property", "contract"
    ),
)
_DRIVERS = ("spark/image", "spark/log_store")
JOBS = (_tests("spark", "the jobs with a real Spark and S3", "spark", ignored=_DRIVERS),)
REST = (
    Step(name="java", command=_JAVA, about="the Java classes' own tests (about 1 min, 4 the first time)"),
    Step(
        name="tools", command=(*_PYTHON, "lakehouse_dev", "tools"), about="Kubernetes and helm (15 min the first time)"
    ),
    _tests("chart", "the chart renders what the operator needs", "chart"),
    _tests("apiserver", "the operator against a real API server", "apiserver"),
    Step(name="images", command=(*_PYTHON, "lakehouse_dev", "images"), about="images (10 min the first time)"),
    _tests("drivers", "the Spark image out of a pod, two drivers on one table", *_DRIVERS),
    _tests("e2e", "everything on a real node", "e2e"),
)
QUICK = {"check": CHECK, "verify": VERIFY, "fast": CHECK + VERIFY + FAST}
ALL = "all"
_HEARTBEAT_SECONDS = 60.0


def run_all() -> list[Done]:
    """Run the quick steps one after the other, then the lanes of slow ones side by side."""
    done = run(QUICK["fast"])
    return [*done, *run_beside(JOBS, REST)]


def run_beside(*lanes: Sequence[Step]) -> list[Done]:
    """Run lanes of steps side by side; say now and then which steps are under way."""
    say(f"\n=== side by side: {' | '.join(', '.join(step.name for step in lane) for lane in lanes)}")
    with ThreadPoolExecutor(len(lanes)) as pool:
        ends = [pool.submit(lambda lane: [_run_quietly(step) for step in lane], lane) for lane in lanes]
        started = time.monotonic()
        while wait(ends, timeout=_HEARTBEAT_SECONDS).not_done:
            say(f"... {(time.monotonic() - started) / 60:.0f} min, under way: {', '.join(sorted(_under_way))}")
    return [one for end in ends for one in end.result()]


_under_way: set[str] = set()


def _run_quietly(step: Step) -> Done:
    """Run a step and print what it said once it has ended."""
    _under_way.add(step.name)
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = _timed(step, output)
        output.seek(0)
        say(f"\n=== {step.name}: {step.about}\n{output.read()}")
    _under_way.discard(step.name)
    return done


def run(steps: Iterable[Step]) -> list[Done]:
    """Run each step, whatever became of the one before it."""
    return [_run(step) for step in steps]


def _run(step: Step) -> Done:
    say(f"\n=== {step.name}: {step.about}")
    return _timed(step, None)


def _timed(step: Step, output: IO[str] | None) -> Done:
    """Run a step's command; what it prints goes to a file, or where this process prints."""
    if step.report:
        step.report.unlink(missing_ok=True)
    started = time.monotonic()
    ended = subprocess.run(
        step.command,
        cwd=paths.REPOSITORY,
        env=_environment(),
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        check=False,
    )
    seconds = time.monotonic() - started
    return Done(step=step, passed=ended.returncode == 0, seconds=seconds, tests=_counts(step.report))


def _counts(report: Path | None) -> Counter[str]:
    """Read how many tests passed, failed and were skipped."""
    if report is None or not report.exists():
        return Counter()
    suite = ET.parse(report).getroot()[0]
    told = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    failed = told["failures"] + told["errors"]
    return Counter(passed=told["tests"] - failed - told["skipped"], failed=failed, skipped=told["skipped"])


def _environment() -> dict[str, str]:
    """Put this interpreter's programs first, so that a step finds the locked ones."""
    programs = os.path.dirname(sys.executable)  # noqa: PTH120  # resolving it would leave the virtual environment
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def report(done: Sequence[Done], *, seconds: float) -> str:
    """Give the table of all steps with their times, and a closing line like pytest's; `seconds`: the whole time."""
    total: Counter[str] = sum((one.tests for one in done), Counter())
    rows = [_row(one.step.name, one.seconds, one.passed, one.tests) for one in done]
    failed = [one.step.name for one in done if not one.passed]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "every step passed"
    return "\n".join(
        ["", "=== time per step", *rows, f"=== {verdict}; {_told(total) or 'no tests'} in {seconds:.1f} s ==="]
    )


def _row(name: str, seconds: float, passed: bool, tests: Counter[str]) -> str:  # noqa: FBT001  # one row, one call
    return f"  {name:<12} {seconds:7.1f} s  {'ok' if passed else 'FAILED':<6}  {_told(tests)}".rstrip()


def _told(tests: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in tests.items() if count or what == "passed")


@click.command()
@click.argument("name", type=click.Choice([*QUICK, ALL]))
def main(name: str) -> None:
    """Run the steps of NAME and end with a table of their times."""
    started = time.monotonic()
    done = run_all() if name == ALL else run(QUICK[name])
    say(report(done, seconds=time.monotonic() - started))
    sys.exit(0 if all(one.passed for one in done) else 1)


if __name__ == "__main__":
    main()
