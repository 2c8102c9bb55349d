"""Annotations by which a person asks for something once."""

RUN_NOW = "lakehouse.dev/run-now"
"""Start one run for each new value."""

REREAD = "lakehouse.dev/reread"
"""Read the source's files again, once for each new value, whatever was read before."""

BACKFILL = "lakehouse.dev/backfill"
"""Read a range of the source once more, once for each new value: FROM/UNTIL, or JSON of a BackfillRequest."""

QUARANTINE = "lakehouse.dev/quarantine"
"""What a run is to do with quarantined rows, as JSON of a QuarantineRequest, instead of reading the source."""

TENDING = "quarantine/"
"""Begins the run-now tokens whose run does what the annotation above asks for."""
