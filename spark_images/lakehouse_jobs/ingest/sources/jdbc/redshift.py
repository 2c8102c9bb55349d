"""Redshift's dialect: an old PostgreSQL's, with types of its own."""

from collections.abc import Mapping
from typing import Final

from lakehouse_jobs.ingest.sources.jdbc.columns import Kind
from lakehouse_jobs.ingest.sources.jdbc.dialects import TAG, Secrets, Sql
from lakehouse_jobs.ingest.sources.jdbc.postgres import CASTS, TEXTS, TIMEOUTS, kind_of


def _exact(name: str, column_type: str, kind: Kind) -> str:
    """A SUPER becomes JSON, bytes hexadecimal digits."""
    if kind in {Kind.INTEGER, Kind.BOOLEAN} or column_type in TEXTS:
        return name
    functions = {"super": "JSON_SERIALIZE", "varbyte": "TO_HEX", "bpchar": "RTRIM"}
    if column_type in functions:
        return f"{functions[column_type]}({name})"
    return f"CAST({name} AS varchar({64 if kind is not Kind.TEXT else 65535}))"


def _log_in(secrets: Secrets) -> Mapping[str, str]:
    return {
        "user": secrets.require("username"),
        "password": secrets.require("password"),
        "ApplicationName": TAG,
        **TIMEOUTS,
        "fetchRingBufferSize": "64M",  # rows read ahead, whatever the fetch size says; its own default is 1 GB
    }


REDSHIFT: Final = Sql(
    driver="com.amazon.redshift.Driver",
    session="SET timezone TO 'UTC'",
    clock="SELECT CAST(GETDATE() AS varchar(64))",
    casts=CASTS,
    kind_of=kind_of,
    exact=_exact,
    log_in=_log_in,
)
