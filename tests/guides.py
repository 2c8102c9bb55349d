"""Guides as their readers follow them: every command of a page in docs/how-to is run by a test, from the page itself.

How a page is written:

- a `yaml` block whose first line is `# <file>` is a file of that name;
- a `sh` block is to be copied: it must succeed;
- a `console` block shows commands after `$ ` and what they print, which is compared (see `tests.console`);
- a `sql` block is for a database or for the lake;
- a block behind `<!-- not run: <why> -->` is run by nobody; `tests/contract/test_guides.py` lists these;
- blocks in other languages are to be looked at.

How a test follows it:

    reader = Reader(folder=tmp_path, kubeconfig=apiserver.kubeconfig, places={"-n crm": f"-n {namespace}"})
    reader.follow("sla.md")                   # the whole page
    reader.follow("install.md", "Uninstall")  # what stands under some of its headings
    queries("merge-changes.md")               # its SQL, for the test to run

`tests/contract/test_guides.py` finds these calls, so page and headings are written out in them, and fails for a command
that no test runs.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse_dev import paths, tools
from tests import console
from tests.console import Step

HOW_TO = paths.REPOSITORY / "docs" / "how-to"
SHELL, SQL = ("sh", "console"), ("sql",)
_PART = re.compile(
    r"^#+ (?P<heading>[^\n]+)$|^(?:<!-- not run: (?P<reason>[^\n]+) -->\n+)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page, under which heading it stands, and why nobody runs it, if so."""

    heading: str
    language: str
    text: str
    not_run: str | None


def blocks_of(page: str) -> Iterator[Block]:
    """Give the blocks of a page of docs/how-to, in order."""
    heading = ""
    for part in _PART.finditer((HOW_TO / page).read_text()):
        heading = part["heading"] or heading
        if part["language"]:
            yield Block(heading=heading, language=part["language"], text=part["text"], not_run=part["reason"])


def to_run(page: str, languages: tuple[str, ...], headings: tuple[str, ...] = ()) -> list[Block]:
    """Give the blocks of a page that a test has to run; below some headings, or all."""
    found = [block for block in blocks_of(page) if block.language in languages and not block.not_run]
    chosen = [block for block in found if not headings or block.heading in headings]
    assert chosen, f"{page} has nothing to run in {languages} under {headings or 'any heading'}"
    return chosen


def queries(page: str, *headings: str) -> list[str]:
    """Give the SQL of a page, below some headings or all."""
    return [block.text for block in to_run(page, SQL, headings)]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody at a shell in a folder of their own, with kubectl, its plugin and whatever else is named in `programs`.

    `places` are words of the page and what stands in their place here: namespaces, hosts, passwords.
    """

    folder: Path
    kubeconfig: Path
    places: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, Path] = field(default_factory=dict)

    def follow(self, page: str, *headings: str) -> list[str]:
        """Write the files of a page and run its commands in one shell; give what each printed.

        Raises:
            AssertionError: a command failed, or printed something else than the page says.
        """
        for name, text in console.files_of(HOW_TO / page).items():
            (self.folder / name).write_text(self.here(text))
        return self.run([step for block in to_run(page, SHELL, headings) for step in self._steps(block)])

    def run(self, steps: list[Step]) -> list[str]:
        """Run commands in one shell; give what each printed.

        Raises:
            AssertionError: a command failed, or printed something else than it should.
        """
        printed = console.run(steps, self.folder, self._environment())
        told = [told for step, text in zip(steps, printed, strict=True) if (told := console.differs(step, text))]
        assert told == [], "\n\n".join(told)
        return printed

    def here(self, text: str) -> str:
        """Give a text of the page as it reads in this place."""
        for word, place in self.places.items():
            text = text.replace(word, place)
        return text

    def _steps(self, block: Block) -> list[Step]:
        text = self.here(block.text)
        return console.steps_in(text) if block.language == "console" else [Step(command=text.strip(), output=None)]

    def _environment(self) -> dict[str, str]:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        for name, program in {"kubectl": tools.kubectl(), **self.programs}.items():
            link = programs / name
            link.unlink(missing_ok=True)
            link.symlink_to(program)
        plugin = programs / "kubectl-lakehouse"
        plugin.write_text(f'#!/bin/sh\nexec {sys.executable} -m lakehouse_operator.cli.main "$@"\n')
        plugin.chmod(0o755)
        path = f"{programs}:{os.environ['PATH']}"
        return {"PATH": path, "KUBECONFIG": str(self.kubeconfig), "PYTHONPATH": ":".join(sys.path)}
