"""Regular expressions of Python, written anew for Java so that a match there implies a match here.

The pattern is parsed by Python and written from the parse, so no difference in syntax can slip through. What has no
counterpart of the same or a narrower meaning has none: the caller then leaves the value to the exact check.
"""

import re
from collections.abc import Callable
from functools import partial

# Python has no public parser for its own expressions; the version of Python is pinned, and so is this module.
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

_ENDLESS: Final = op.MAXREPEAT
_LONGEST: Final = 1000  # Java recurses for repeated groups; longer repetitions could exhaust a task's stack
_CATEGORIES: Final = {
    # Python's are Unicode's and wider. A narrower class matches less, and only matches lead to a native verdict.
    op.CATEGORY_DIGIT: "0-9",
    op.CATEGORY_WORD: "a-zA-Z0-9_",
    op.CATEGORY_SPACE: r" \t\n\r\f\x0B",
}


class UntranslatableError(ValueError):
    """The expression has a part without a counterpart in Java."""


def to_java(pattern: str) -> str | None:
    """Give an expression for Java's `find`, or None. Where it finds a match, Python's `re.search` does too."""
    try:
        parsed = parser.parse(pattern)
        if parsed.state.flags & ~re.UNICODE.value:
            return None
        return _sequence(parsed)
    except (UntranslatableError, re.error, RecursionError):
        return None


def _sequence(items: Any) -> str:
    return "".join(_item(code, argument) for code, argument in items)


def _item(code: Any, argument: Any) -> str:
    write = _WRITERS.get(code)
    if write is None:
        raise UntranslatableError(str(code))
    return write(argument)


def _character(point: int) -> str:
    return f"\\x{{{point:X}}}"


def _set(members: Any) -> str:
    negated = members[0][0] is op.NEGATE
    parts = [_member(code, argument, negated=negated) for code, argument in members[int(negated) :]]
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _member(code: Any, argument: Any, *, negated: bool) -> str:
    if code is op.LITERAL:
        return _character(argument)
    if code is op.RANGE:
        return f"{_character(argument[0])}-{_character(argument[1])}"
    if code is op.CATEGORY and argument in _CATEGORIES and not negated:
        return _CATEGORIES[argument]
    raise UntranslatableError(str(code))


def _repeat(argument: Any, *, suffix: str) -> str:
    least, most, body = argument
    if least > _LONGEST or (most is not _ENDLESS and most > _LONGEST):
        raise UntranslatableError("repetition")
    bound = "" if most is _ENDLESS else str(most)
    return f"{_unit(body)}{{{least},{bound}}}{suffix}"


def _unit(body: Any) -> str:
    """Write what is repeated; Java is much faster at characters that are in no group."""
    single = len(body) == 1 and body[0][0] in {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN}
    return _sequence(body) if single else f"(?:{_sequence(body)})"


def _group(argument: Any) -> str:
    _, added, removed, body = argument
    if added or removed:
        raise UntranslatableError("flags")
    return f"(?:{_sequence(body)})"


def _branch(argument: Any) -> str:
    return f"(?:{'|'.join(_sequence(each) for each in argument[1])})"


def _position(argument: Any) -> str:
    place = {op.AT_BEGINNING: r"\A", op.AT_BEGINNING_STRING: r"\A", op.AT_END: r"(?=\n?\z)", op.AT_END_STRING: r"\z"}
    if argument not in place:
        raise UntranslatableError(str(argument))
    return place[argument]


_WRITERS: Final[dict[Any, Callable[[Any], str]]] = {
    op.LITERAL: _character,
    op.NOT_LITERAL: lambda point: f"[^{_character(point)}]",
    op.ANY: lambda _: r"[^\n]",
    op.IN: _set,
    op.BRANCH: _branch,
    op.SUBPATTERN: _group,
    op.MAX_REPEAT: partial(_repeat, suffix=""),
    op.MIN_REPEAT: partial(_repeat, suffix="?"),
    op.AT: _position,
}
