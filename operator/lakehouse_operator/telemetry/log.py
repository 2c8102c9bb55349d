"""Logs as one JSON document a line, each with the resource it is about."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

_BOUND: ContextVar[dict[str, str]] = ContextVar("bound", default={})  # noqa: B039 - replaced, never changed
_FIELDS = "{levelname}{name}{message}"
_RENAMED = {"levelname": "level", "name": "logger"}
_KOPF_LEVEL = logging.WARNING
"""kopf only watches for us; what it says at INFO is about its own insides."""


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Add fields, such as namespace, name, kind and run, to everything logged inside."""
    token = _BOUND.set({**_BOUND.get(), **fields})
    try:
        yield
    finally:
        _BOUND.reset(token)


class _Bind(logging.Filter):
    @override
    def filter(self, record: logging.LogRecord) -> bool:
        for field, value in _BOUND.get().items():
            record.__dict__[f"resource_{field}" if field == "name" else field] = value
        return True


def configure_logging(level: str) -> None:
    """Send everything to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(_FIELDS, style="{", rename_fields=_RENAMED, timestamp="time"))
    handler.addFilter(_Bind())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("kopf").setLevel(max(_KOPF_LEVEL, logging.getLevelName(level)))
    logging.getLogger("botocore").setLevel(logging.WARNING)  # at DEBUG it writes down what it signs
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
