"""PostgreSQL's dialect."""

from collections.abc import Mapping
from typing import Final

from lakehouse_jobs.ingest.sources.jdbc.columns import Kind
from lakehouse_jobs.ingest.sources.jdbc.dialects import TAG, Secrets, Sql

CASTS: Final = {
    Kind.MOMENT: "timestamp with time zone",
    Kind.LOCAL: "timestamp without time zone",
    Kind.DATE: "date",
}
TEXTS: Final = frozenset({"text", "varchar", "name"})
_KINDS: Final = {
    **dict.fromkeys(("int2", "int4", "int8", "smallserial", "serial", "bigserial", "oid"), Kind.INTEGER),
    "numeric": Kind.NUMBER,
    "float4": Kind.DOUBLE,
    "float8": Kind.DOUBLE,
    "bool": Kind.BOOLEAN,
    "date": Kind.DATE,
    "timestamptz": Kind.MOMENT,
    "timestamp": Kind.LOCAL,
}
TIMEOUTS: Final = {"connectTimeout": "10", "loginTimeout": "20", "tcpKeepAlive": "true"}
"""Seconds after which a server that does not answer is given up; a URL may say otherwise."""


def kind_of(column_type: str) -> Kind:
    """Tell what the values of a type are, by its internal name."""
    return _KINDS.get(column_type, Kind.TEXT)


def _exact(name: str, column_type: str, kind: Kind) -> str:
    """Arrays become JSON, bytes Base64; all else that is not plain is as PostgreSQL writes it."""
    if kind in {Kind.INTEGER, Kind.BOOLEAN} or column_type in TEXTS:
        return name
    if column_type == "bytea":
        return f"translate(encode({name}, 'base64'), CHR(10), '')"
    if column_type.startswith("_"):
        return f"CAST(array_to_json({name}) AS text)"
    return f"CAST({name} AS text)"


def _log_in(secrets: Secrets) -> Mapping[str, str]:
    password = secrets.find("password") or ""
    return {"user": secrets.require("username"), "password": password, "ApplicationName": TAG, **TIMEOUTS}


POSTGRES: Final = Sql(
    driver="org.postgresql.Driver",
    session="SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET timezone TO 'UTC'",
    clock="SELECT CAST(clock_timestamp() AS text)",
    casts=CASTS,
    kind_of=kind_of,
    exact=_exact,
    log_in=_log_in,
)
