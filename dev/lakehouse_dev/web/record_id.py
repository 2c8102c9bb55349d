"""The ids of a CRM's records, as Salesforce makes them."""

from collections.abc import Iterator
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def record_id(prefix: str, number: int) -> str:
    """Give a record's id of 18 characters."""
    digits = []
    for _ in range(12):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    text = prefix + "".join(reversed(digits))
    return text + "".join(_suffix(text))


def _suffix(text: str) -> Iterator[str]:
    """Say for each five characters which are capitals: it makes an id safe to compare without case."""
    for start in (0, 5, 10):
        bits = sum(1 << place for place, character in enumerate(text[start : start + 5]) if character.isupper())
        yield "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
