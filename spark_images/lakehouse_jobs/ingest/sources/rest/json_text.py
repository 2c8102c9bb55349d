"""JSON cut into the texts of its parts, unchanged: no number is read, so none is rounded.

`document` checks a whole text once; what is cut out of a checked text is not checked again.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_LITERAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false")
_ONE_LINE: Final = str.maketrans("\r\n", "  ")


class JsonTextError(ValueError):
    """A text is not one JSON value; the message never shows it."""


def document(text: str) -> str:
    """Give the text of the one value that a text holds, on one line; raise JsonTextError if there is not just one."""
    whole = text.removeprefix("\ufeff").strip(" \t\r\n")
    try:
        _, end = _DECODER.raw_decode(whole)
    except json.JSONDecodeError as error:
        raise JsonTextError(f"{error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise JsonTextError("it is nested too deeply") from error
    if end != len(whole):
        raise JsonTextError(f"something follows the JSON at character {end}")
    return whole.translate(_ONE_LINE)  # line breaks occur between tokens only: strings cannot hold them


def members(text: str) -> dict[str, str]:
    """Give the texts of an object's members by name; nothing if it is no object."""
    found: dict[str, str] = {}
    if not text.startswith("{"):
        return found
    at = _skip(text, 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, end) + 1)
        found[name], at = _cut(text, start)
    return found


def elements(text: str) -> list[str]:
    """Give the texts of an array's elements; nothing if it is no array."""
    found: list[str] = []
    if not text.startswith("["):
        return found
    at = _skip(text, 1)
    while text[at] != "]":
        part, at = _cut(text, at)
        found.append(part)
    return found


def find(text: str, path: Iterable[str]) -> str | None:
    """Give the text of the member of a member of an object; None if one of them is missing."""
    found: str | None = text
    for name in path:
        found = members(found).get(name) if found else None
    return found


def pick(parts: Mapping[str, str], path: Sequence[str]) -> str | None:
    """Do the same for an object whose members are cut out already: for many paths that is once instead of each time."""
    first = parts.get(path[0])
    return first if first is None or len(path) == 1 else find(first, path[1:])


def at_pointer(text: str, pointer: str) -> str | None:
    """Give the text of the member that a JSON Pointer names."""
    names = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    return find(text, names)


def joined(parts: dict[str, str]) -> str:
    """Write an object of the texts of its members."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in parts.items()) + "}"


def plain(text: str | None) -> Any:
    """Read a value; numbers stay as they are written."""
    return None if text is None else _DECODER.decode(text)


def is_literal(text: str) -> bool:
    """Tell whether a text, as it stands, is a JSON number or boolean."""
    return _LITERAL.fullmatch(text) is not None


def _cut(text: str, start: int) -> tuple[str, int]:
    """Cut out the value that begins at a place; give its text and where the next part, or the end, is."""
    _, end = _DECODER.raw_decode(text, start)
    following = _skip(text, end)
    return text[start:end], _skip(text, following + 1) if text[following] == "," else following


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
