"""What `make check`, `verify`, `test-fast` and `test` run: named steps, each timed, all of them even if one fails."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
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


def _tests(name: str, about: str, *folders: str) -> Step:
    report = _REPORTS / f"{name}.xml"
    command = (*_PYTHON, "pytest", f"--junitxml={report}", *(f"tests/{folder}" for folder in folders))
    return Step(name=name, command=command, about=about, report=report)


_LOG_STORE = (
    "mvn",
    "--batch-mode",
    "--quiet",
    "-Dstyle.color=never",
    "--file",
    "spark_images/logstore/pom.xml",
    "verify",
)
FAST = (
    _tests(
        "decisions", "pure decisions, golden Plans, properties, contracts", "unit", "golden", "property", "contract"
    ),
)
SLOW = (
    Step(name="log store", command=_LOG_STORE, about="Java tests of the S3 log store (about 1 min, 4 the first time)"),
    Step(
        name="tools", command=(*_PYTHON, "lakehouse_dev", "tools"), about="Kubernetes and helm (15 min the first time)"
    ),
    _tests("chart", "the chart renders what the operator needs", "chart"),
    _tests("apiserver", "the operator against a real API server", "apiserver"),
    _tests("spark", "the jobs with a real Spark and S3", "spark"),
    Step(name="images", command=(*_PYTHON, "lakehouse_dev", "images"), about="images (10 min the first time)"),
    _tests("e2e", "everything on a real node", "e2e"),
)
SETS = {"check": CHECK, "verify": VERIFY, "fast": CHECK + VERIFY + FAST, "all": CHECK + VERIFY + FAST + SLOW}


def run(steps: Iterable[Step]) -> list[Done]:
    """Run each step, whatever became of the one before it."""
    return [_run(step) for step in steps]


def _run(step: Step) -> Done:
    say(f"\n=== {step.name}: {step.about}")
    if step.report:
        step.report.unlink(missing_ok=True)
    started = time.monotonic()
    code = subprocess.run(step.command, cwd=paths.REPOSITORY, env=_environment(), check=False).returncode
    return Done(step=step, passed=code == 0, seconds=time.monotonic() - started, tests=_counts(step.report))


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


def report(done: Sequence[Done]) -> str:
    """Give the table of all steps with their times, and a closing line like pytest's."""
    total: Counter[str] = sum((one.tests for one in done), Counter())
    rows = [_row(one.step.name, one.seconds, one.passed, one.tests) for one in done]
    failed = [one.step.name for one in done if not one.passed]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "every step passed"
    seconds = sum(one.seconds for one in done)
    return "\n".join(
        ["", "=== time per step", *rows, f"=== {verdict}; {_told(total) or 'no tests'} in {seconds:.1f} s ==="]
    )


def _row(name: str, seconds: float, passed: bool, tests: Counter[str]) -> str:  # noqa: FBT001  # one row, one call
    return f"  {name:<12} {seconds:7.1f} s  {'ok' if passed else 'FAILED':<6}  {_told(tests)}".rstrip()


def _told(tests: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in tests.items() if count or what == "passed")


@click.command()
@click.argument("name", type=click.Choice(list(SETS)))
def main(name: str) -> None:
    """Run the steps of NAME and end with a table of their times."""
    done = run(SETS[name])
    say(report(done))
    sys.exit(0 if all(one.passed for one in done) else 1)


if __name__ == "__main__":
    main()
