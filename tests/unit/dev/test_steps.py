"""The steps of `make test`: all of them run, all of them are told, one that fails fails the whole."""

import sys
from pathlib import Path

import pytest

from lakehouse_dev.steps import Step, report, run, run_beside

XML = '<testsuites><testsuite tests="5" failures="1" errors="0" skipped="1"/></testsuites>'


def _step(name: str, code: str, *, report: Path | None = None) -> Step:
    return Step(name=name, command=(sys.executable, "-c", code), about="a test", report=report)


def test_a_step_that_fails_does_not_keep_the_next_one_from_running(tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    done = run([_step("first", "raise SystemExit(3)"), _step("second", f"open({str(mark)!r}, 'w')")])

    assert [one.passed for one in done] == [False, True]
    assert mark.exists()


def test_the_table_names_what_failed_and_adds_up_the_tests(tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    step = _step("tests", f"open({str(file)!r}, 'w').write({XML!r}); raise SystemExit(1)", report=file)

    text = report(run([step, _step("lint", "")]), seconds=1.0)

    assert "tests" in text
    assert "FAILED" in text
    last = text.splitlines()[-1]
    assert last.startswith("=== FAILED: tests; 3 passed, 1 failed, 1 skipped in ")


def test_the_report_of_an_earlier_run_counts_for_nothing(tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    file.write_text(XML)

    [done] = run([_step("tests", "", report=file)])

    assert not done.tests


def test_lanes_run_side_by_side_and_each_step_tells_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waits = "import pathlib, time\nwhile not pathlib.Path({!r}).exists(): time.sleep(0.01)\nprint('{} met')"
    meets = "import pathlib; pathlib.Path({!r}).touch()"
    mark = str(tmp_path / "here")

    done = run_beside(
        [_step("waits", waits.format(mark, "lane one")), _step("fails", "raise SystemExit(1)")],
        [_step("meets", meets.format(mark))],
    )

    assert [(one.step.name, one.passed) for one in done] == [("waits", True), ("fails", False), ("meets", True)]
    said = capsys.readouterr()
    assert "=== waits: a test\nlane one met" in said.out + said.err
