"""Reading Java properties files, the format in which Spark takes its configuration."""

import re
from collections.abc import Iterator
from pathlib import Path

from entrypoint.errors import UnusableError

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


def read(file: Path) -> dict[str, str]:
    """Read a Java properties file; raise UnusableError if it cannot be read."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"--properties-file {file}: {error}; mount the run's ConfigMap there") from error
    return dict(map(split_property, logical_lines(text)))


def logical_lines(text: str) -> Iterator[str]:
    """Yield the lines of a properties file without comments, those that end in a backslash joined with the next."""
    whole = re.sub(r"(?<!\\)((?:\\\\)*)\\\n[ \t\f]*", r"\1", text)
    for line in (each.lstrip() for each in re.split(r"\r\n|\r|\n", whole)):
        if line and line[0] not in "#!":
            yield line


def split_property(line: str) -> tuple[str, str]:
    """Split at the first `=`, `:` or space that is not escaped."""
    match = re.match(r"((?:\\.|[^\\=:\s])*)\s*[=:]?\s*(.*)", line)
    return (unescape(match[1]), unescape(match[2]).strip()) if match else (line, "")


def unescape(text: str) -> str:
    r"""Replace `\n`, `\u00e9` and the like."""
    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", lambda found: character(found[1]), text)


def character(escape: str) -> str:
    """Return what an escape without its backslash stands for."""
    is_code = len(escape) > 1
    return chr(int(escape[1:], 16)) if is_code else ESCAPES.get(escape, escape)
