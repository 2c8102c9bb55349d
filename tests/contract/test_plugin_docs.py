"""What the reference of the plugin shows is what the plugin prints, and its table of changes is the code's."""

import re
import sys
from pathlib import Path

import pytest

from lakehouse_dev import paths
from lakehouse_operator.core.compatibility_verdict import Promise
from tests.console import differs, files_of, run, steps_of
from tests.unit.core.test_compatibility import CHANGES

REFERENCE = paths.REPOSITORY / "docs" / "reference"
ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Give a folder with a kubectl that does what kubectl does with a plugin: runs it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    plugin = f'exec {sys.executable} -m lakehouse_operator.cli.main "$@"'
    (folder / "kubectl").write_text(f'#!/bin/sh\ntest "$1" = lakehouse && shift || exit 64\n{plugin}\n')
    (folder / "kubectl").chmod(0o755)
    return folder


def test_every_command_of_the_reference_prints_what_the_page_says(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = REFERENCE / "kubectl-lakehouse.md"
    for name, text in files_of(page).items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    steps = steps_of(page)

    printed = run(steps, tmp_path, {"PYTHONPATH": ":".join(sys.path)})

    assert len(steps) > 6
    assert [told for step, text in zip(steps, printed, strict=True) if (told := differs(step, text))] == []


SINGLE = [one for one in CHANGES if isinstance(one.values[1], set) and len(one.values[1]) == 1]


@pytest.mark.parametrize(("edit", "kinds", "breaks"), SINGLE)
def test_every_kind_of_change_is_in_the_table_with_what_it_breaks(
    edit: object, kinds: set[str], breaks: set[Promise]
) -> None:
    cells = ROW.findall((REFERENCE / "datacontract.md").read_text())
    [told] = [breaks_told for kinds_told, breaks_told in cells if kinds & set(_kinds(kinds_told))]

    if told != "rows, values, both or nothing, as the sets say":
        assert told == (", ".join(promise for promise in Promise if promise in breaks) or "nothing")


def _kinds(cell: str) -> list[str]:
    return re.findall(r"`([A-Z][\w-]+)`", cell)
