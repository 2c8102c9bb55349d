"""Annotations by which a person asks for something once."""

RUN_NOW = "lakehouse.dev/run-now"
"""Start one run for each new value."""

REREAD = "lakehouse.dev/reread"
"""Read the source's files again, once for each new value, whatever was read before."""
