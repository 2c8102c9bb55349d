"""Pages of the documentation as they are read: their files written, their commands run, their output compared.

A block whose first line is `# <file>` is a file. In a console block every line that begins with `$ ` is a command, and
what follows is its output: `<version>`, `<time>` and `<age>` stand for any, a line of three dots for any lines.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (\S+\.yaml)\n")
_MARK = "\x1e"
_ANY = {"<version>": r"[0-9a-f]{12}", "<time>": r"\S+Z", "<age>": r"\d+[smh]\S*"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command of a page and what the page says it prints; None if it only has to succeed."""

    command: str
    output: str | None


def files_of(page: Path) -> dict[str, str]:
    """Give the files that a page shows, by name."""
    blocks = (text for _, text in _BLOCK.findall(page.read_text()))
    return {found[1]: text for text in blocks if (found := _FILE.match(text))}


def steps_of(page: Path) -> list[Step]:
    """Give the commands of a page, in order."""
    consoles = (text for kind, text in _BLOCK.findall(page.read_text()) if kind == "console")
    return [step for text in consoles for step in steps_in(text)]


def steps_in(text: str) -> list[Step]:
    """Give the commands of a console block."""
    parts = (part for part in re.split(r"^\$ ", text, flags=re.MULTILINE) if part)
    return [Step(command=command, output=output) for command, _, output in (part.partition("\n") for part in parts)]


def run(steps: list[Step], folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Run the commands in one shell, as a reader would; answers what each printed, errors included.

    Raises:
        AssertionError: a command that only had to succeed did not; nothing after it was run.
    """
    script = "\n".join(map(_script, steps))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    *printed, rest = done.stdout.split(_MARK)
    assert len(printed) == len(steps), f"$ {steps[len(printed)].command}\nfailed:\n{rest}"
    return printed


def _script(step: Step) -> str:
    if step.output is None:
        return f"set -euo pipefail\n{step.command}\nset +euo pipefail; printf '{_MARK}'"
    return f"{step.command}\nkept=$?; printf '{_MARK}'; (exit $kept)"


def differs(step: Step, printed: str) -> str | None:
    """Tell how what was printed differs from the page; None if it does not, but for blanks."""
    if step.output is None:
        return None
    lines = [re.escape(_plain(line)) for line in step.output.strip().splitlines()]
    pattern = "\n".join("(.|\n)*" if line == r"\.\.\." else line for line in lines)
    for sign, any_ in _ANY.items():
        pattern = pattern.replace(re.escape(sign), any_)
    got = "\n".join(_plain(line) for line in printed.strip().splitlines())
    return None if re.fullmatch(pattern, got) else f"$ {step.command}\nthe page:\n{step.output}\nin truth:\n{printed}"


def _plain(line: str) -> str:
    return " ".join(line.split())
