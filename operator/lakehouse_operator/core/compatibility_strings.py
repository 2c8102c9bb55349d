"""Strings that match a regular expression, a few and the simplest first; always the same ones."""

import re
from collections.abc import Callable, Iterator

# Python has no public parser for its own expressions; the version of Python is pinned, and so is this module.
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

VARIANTS: Final = 6
_LONGEST_REPEAT: Final = 256
_PROBES: Final = "a0A_ -.é\n/:@z9Z"
_CATEGORIES: Final = {
    op.CATEGORY_DIGIT: "05",
    op.CATEGORY_NOT_DIGIT: "a-",
    op.CATEGORY_SPACE: " \t",
    op.CATEGORY_NOT_SPACE: "a0",
    op.CATEGORY_WORD: "a0_",
    op.CATEGORY_NOT_WORD: "- .",
}
_SIGNS: Final = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}


def matching(pattern: str) -> Iterator[str]:
    """Give some strings in which Python's `re.search` finds the pattern; none if none comes to mind."""
    try:
        parsed = parser.parse(pattern)
        found = [_sequence(parsed, variant, {}) for variant in range(VARIANTS)]
    except (re.error, RecursionError, OverflowError):
        return
    wrapped = [f"{before}{text}{after}" for text in found[:1] for before, after in (("~", ""), ("", "~"), ("a", "a"))]
    for text in dict.fromkeys([*found, *wrapped]):
        if re.search(pattern, text):
            yield text


def _sequence(items: Any, variant: int, groups: dict[int, str]) -> str:
    return "".join(_item(code, argument, variant, groups) for code, argument in items)


def _item(code: Any, argument: Any, variant: int, groups: dict[int, str]) -> str:
    write = _WRITERS.get(code)
    return write(argument, variant, groups) if write else ""  # anchors and look-around match no characters


def _literal(argument: Any, _: int, __: dict[int, str]) -> str:
    return chr(argument)


def _other(argument: Any, variant: int, _: dict[int, str]) -> str:
    return _pick([char for char in _PROBES if ord(char) != argument], variant)


def _any(_: Any, variant: int, __: dict[int, str]) -> str:
    return _pick([char for char in _PROBES if char != "\n"], variant)


def _set(members: Any, variant: int, _: dict[int, str]) -> str:
    negated = members[0][0] is op.NEGATE
    chosen = [char for code, argument in members[int(negated) :] for char in _members(code, argument)]
    if not negated:
        return _pick(chosen, variant)
    return _pick([char for char in _PROBES if not any(_is_in(char, *member) for member in members[1:])], variant)


def _members(code: Any, argument: Any) -> str:
    if code is op.LITERAL:
        return chr(argument)
    if code is op.RANGE:
        return chr(argument[0]) + chr(argument[1])
    return _CATEGORIES.get(argument, "")


def _is_in(char: str, code: Any, argument: Any) -> bool:
    if code is op.LITERAL:
        return bool(ord(char) == argument)
    if code is op.RANGE:
        return bool(argument[0] <= ord(char) <= argument[1])
    return argument in _SIGNS and re.fullmatch(_SIGNS[argument], char) is not None


def _repeat(argument: Any, variant: int, groups: dict[int, str]) -> str:
    least, most, body = argument
    times = least if variant % 2 == 0 else min(least + variant, most)
    return "".join(_sequence(body, variant, groups) for _ in range(min(times, _LONGEST_REPEAT)))


def _group(argument: Any, variant: int, groups: dict[int, str]) -> str:
    text = _sequence(argument[-1], variant, groups)
    if argument[0] is not None:
        groups[argument[0]] = text
    return text


def _branch(argument: Any, variant: int, groups: dict[int, str]) -> str:
    branches = argument[1]
    return _sequence(branches[variant % len(branches)], variant, groups)


def _again(argument: Any, _: int, groups: dict[int, str]) -> str:
    return groups.get(argument, "")


def _pick(chars: list[str], variant: int) -> str:
    return chars[variant % len(chars)] if chars else ""


_WRITERS: Final[dict[Any, Callable[[Any, int, dict[int, str]], str]]] = {
    op.LITERAL: _literal,
    op.NOT_LITERAL: _other,
    op.ANY: _any,
    op.IN: _set,
    op.MAX_REPEAT: _repeat,
    op.MIN_REPEAT: _repeat,
    op.POSSESSIVE_REPEAT: _repeat,
    op.SUBPATTERN: _group,
    op.ATOMIC_GROUP: _sequence,
    op.BRANCH: _branch,
    op.GROUPREF: _again,
}
