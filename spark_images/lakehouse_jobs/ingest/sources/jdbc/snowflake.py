"""Snowflake's dialect."""

import base64
from collections.abc import Mapping
from typing import Final

from lakehouse_jobs.failures import unavailable
from lakehouse_jobs.ingest.sources.jdbc.columns import Kind
from lakehouse_jobs.ingest.sources.jdbc.dialects import TAG, Secrets, Sql

_KINDS: Final = {
    **dict.fromkeys(("NUMBER", "FIXED", "DECIMAL", "NUMERIC", "BIGINT", "INTEGER"), Kind.NUMBER),
    **dict.fromkeys(("FLOAT", "DOUBLE", "REAL"), Kind.DOUBLE),
    "BOOLEAN": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "TIMESTAMPLTZ": Kind.MOMENT,
    "TIMESTAMPTZ": Kind.MOMENT,
    "TIMESTAMPNTZ": Kind.LOCAL,
}
_TEXTS: Final = frozenset({"VARCHAR", "TEXT", "CHAR", "STRING"})
_TIME: Final = 'YYYY-MM-DD"T"HH24:MI:SS.FF9'
_FORMATS: Final = {Kind.LOCAL: _TIME, Kind.DATE: "YYYY-MM-DD"}
_FUNCTIONS: Final = {**dict.fromkeys(("VARIANT", "OBJECT", "ARRAY"), "TO_JSON"), "BINARY": "BASE64_ENCODE"}


def _kind_of(column_type: str) -> Kind:
    """Tell what the values of a type are; the driver writes some with an underscore and some without."""
    return _KINDS.get(column_type.upper().replace("_", ""), Kind.TEXT)


def _exact(name: str, column_type: str, kind: Kind) -> str:
    """Semi-structured values become JSON, bytes Base64, times ISO 8601."""
    known = column_type.upper()
    if kind in {Kind.BOOLEAN, Kind.DOUBLE} or known in _TEXTS:
        return name
    if kind is Kind.MOMENT:
        return f"TO_VARCHAR(CONVERT_TIMEZONE('UTC', {name}), '{_TIME}TZH:TZM')"
    if kind in _FORMATS:
        return f"TO_VARCHAR({name}, '{_FORMATS[kind]}')"
    return f"{_FUNCTIONS.get(known, 'TO_VARCHAR')}({name})"


def _log_in(secrets: Secrets) -> Mapping[str, str]:
    """Log in by key pair where the Secret has a private key, else by password."""
    key = secrets.find("privateKey")
    proof = key_pair(key, secrets.find("privateKeyPassphrase")) if key else {"password": secrets.require("password")}
    return {
        "user": secrets.require("username"),
        **proof,
        "application": "LakehouseOperator",
        "QUERY_TAG": TAG,
        "TIMEZONE": "UTC",
        "CLIENT_SESSION_KEEP_ALIVE": "true",
        "JDBC_QUERY_RESULT_FORMAT": "JSON",  # Arrow's would need java.nio opened
        "loginTimeout": "60",
        "networkTimeout": "300000",
        "CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": "false",
        "disablePlatformDetection": "true",  # it asks the metadata services of three clouds where it runs
    }


def key_pair(key: str, passphrase: str | None) -> Mapping[str, str]:
    """Give the driver a private key; raise CredentialsMissing for what is none."""
    if "PRIVATE KEY-----" not in key:
        raise unavailable(
            "CredentialsMissing",
            "privateKey of the Secret that the source names is not a private key in PEM form (PKCS #8, which begins "
            "with -----BEGIN PRIVATE KEY----- or -----BEGIN ENCRYPTED PRIVATE KEY-----). The next attempt reads it "
            "again.",
        )
    encoded = base64.b64encode(f"{key.strip()}\n".encode()).decode()
    proof = {"authenticator": "snowflake_jwt", "private_key_base64": encoded}
    return {**proof, "private_key_pwd": passphrase} if passphrase else proof


SNOWFLAKE: Final = Sql(
    driver="net.snowflake.client.api.driver.SnowflakeDriver",
    session="ALTER SESSION SET TIMEZONE = 'UTC'",
    clock=f"SELECT TO_VARCHAR(CONVERT_TIMEZONE('UTC', CURRENT_TIMESTAMP()), '{_TIME}')",
    casts={Kind.MOMENT: "TIMESTAMP_LTZ", Kind.LOCAL: "TIMESTAMP_NTZ", Kind.DATE: "DATE"},
    kind_of=_kind_of,
    exact=_exact,
    log_in=_log_in,
)
