"""The steps of `make test`: all of them run, all of them are told, one that fails fails the whole."""

import sys
from pathlib import Path

from lakehouse_dev.steps import Step, report, run

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

    text = report(run([step, _step("lint", "")]))

    assert "tests" in text
    assert "FAILED" in text
    last = text.splitlines()[-1]
    assert last.startswith("=== FAILED: tests; 3 passed, 1 failed, 1 skipped in ")


def test_the_report_of_an_earlier_run_counts_for_nothing(tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    file.write_text(XML)

    [done] = run([_step("tests", "", report=file)])

    assert not done.tests
