"""Durations and sizes as users write them: `15m`, `24h`, `7d`; `128Mi`, `2Gi`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

DURATION = r"^([0-9]+(ms|s|m|h|d))+$"
_PARTS = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}

LONGEST = timedelta(days=3650)
"""Beyond it a duration is a slip of the pen, and seconds no longer fit where Kubernetes keeps them."""

QUANTITY = r"^([0-9]+(\.[0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_SCALE = {
    "m": 0.001,
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
}


def parse_duration(text: str | timedelta) -> timedelta:
    """Read a duration such as `1h30m`.

    Raises:
        ValueError: the text is not a sequence of numbers with units ms, s, m, h or d, or says more than LONGEST.
    """
    if isinstance(text, timedelta):
        return text
    if not re.match(DURATION, text):
        raise ValueError(f"{text!r} is not a duration: write for example 30s, 15m, 24h or 7d")
    try:
        duration = sum((int(count) * _UNITS[unit] for count, unit in _PARTS.findall(text)), timedelta())
    except OverflowError:
        duration = timedelta.max
    if duration > LONGEST:
        raise ValueError(f"{text!r} is longer than {format_duration(LONGEST)}")
    return duration


def format_duration(duration: timedelta) -> str:
    """Write a duration with the fewest units, the largest first: 90 minutes are `1h30m`."""
    rest = duration
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNITS[unit])
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"


def parse_quantity(text: str) -> float:
    """Read a Kubernetes quantity as a plain number: bytes, or cores.

    Raises:
        ValueError: the text is not a number with a known suffix.
    """
    match = re.match(QUANTITY, text)
    if not match:
        raise ValueError(f"{text!r} is not a quantity: write for example 500m, 128Mi or 2Gi")
    return float(match[1]) * _SCALE[match[3] or ""]


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DURATION, "maxLength": 32}),
]

Quantity = Annotated[str, Field(pattern=QUANTITY, max_length=32)]
