"""Tables and queries of a database, read through its JDBC driver."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator

from lakehouse_api.model import Model, rules
from lakehouse_api.quantities import Duration
from lakehouse_api.secrets import Credentials, SecretUse, uses_of


class Dialect(StrEnum):
    """Which SQL the database speaks, and through which driver."""

    POSTGRES = "postgres"
    REDSHIFT = "redshift"
    SNOWFLAKE = "snowflake"


_SUBPROTOCOLS: Final = {Dialect.POSTGRES: "postgresql", Dialect.REDSHIFT: "redshift", Dialect.SNOWFLAKE: "snowflake"}
_HOSTS: Final = {
    Dialect.POSTGRES: r"[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9_.-]+",
    Dialect.REDSHIFT: r"[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9_.-]+",
    Dialect.SNOWFLAKE: r"[A-Za-z0-9._-]+(:[0-9]{1,5})?/?",
}
URL_PROPERTIES: Final[Mapping[Dialect, tuple[str, ...]]] = MappingProxyType(
    {
        Dialect.POSTGRES: (
            *("ApplicationName", "connectTimeout", "currentSchema", "loginTimeout", "socketTimeout"),
            *("ssl", "sslmode", "sslrootcert", "targetServerType", "tcpKeepAlive"),
        ),
        Dialect.REDSHIFT: (
            *("ApplicationName", "connectTimeout", "fetchRingBufferSize", "loginTimeout", "queryGroup"),
            *("socketTimeout", "ssl", "sslmode", "sslrootcert", "tcpKeepAlive"),
        ),
        Dialect.SNOWFLAKE: ("db", "loginTimeout", "networkTimeout", "role", "schema", "warehouse"),
    }
)
"""What a URL may set. Other properties of these drivers name classes to load, files to write or credentials."""

_VALUE: Final = r"[A-Za-z0-9_.,:/+-]*"


def url_pattern(dialect: Dialect) -> str:
    """Give the regular expression of a dialect's URLs, the same for Python and for CEL."""
    names = "|".join(URL_PROPERTIES[dialect])
    one = f"({names})={_VALUE}"
    return rf"^jdbc:{_SUBPROTOCOLS[dialect]}://{_HOSTS[dialect]}(\?{one}(&{one})*)?$"


def _url_rule(dialect: Dialect) -> tuple[str, str]:
    pattern = url_pattern(dialect).replace("\\", "\\\\")
    return f"self.dialect != '{dialect}' || self.url.matches('{pattern}')", _url_advice(dialect)


def _url_advice(dialect: Dialect) -> str:
    return (
        f"source.jdbc.url of dialect {dialect} must be jdbc:{_SUBPROTOCOLS[dialect]}://, one host, without user or "
        f"password; of the driver's properties it may set {', '.join(URL_PROPERTIES[dialect])}"
    )


class Partition(Model):
    """Split the rows by ranges of a column, so that several connections read at once."""

    column: Annotated[
        str, Field(min_length=1, max_length=255, description="A number, date or time that no update changes.")
    ]
    count: Annotated[int, Field(ge=2, le=128, description="How many ranges.")]


class JdbcSource(Model):
    """A table or query of a database."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("has(self.table) != has(self.query)", "source.jdbc needs exactly one of table or query"),
            *map(_url_rule, Dialect),
        )
    )

    dialect: Dialect
    url: Annotated[
        str,
        Field(max_length=1024, description="Such as jdbc:postgresql://db.example.com:5432/shop?sslmode=verify-full."),
    ]
    table: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=512,
            pattern=r'^([^".\s]+|"[^"]+")(\.([^".\s]+|"[^"]+")){0,2}$',
            description="Name as the database's catalogue has it, such as public.orders; case matters.",
        ),
    ] = None
    query: Annotated[
        str | None,
        Field(min_length=1, max_length=8192, pattern=r"^[^;]*$", description="A SELECT, without a semicolon."),
    ] = None
    partition: Partition | None = None
    fetch_size: Annotated[int, Field(ge=1, le=1_000_000, description="Rows that the driver fetches at a time.")] = 10000
    time_zone: Annotated[
        str | None,
        Field(
            max_length=64,
            pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$",
            description="IANA zone in which columns without a zone are meant; absent: they stay without one.",
        ),
    ] = None
    lag: Annotated[
        Duration | None,
        Field(
            description="Rows whose cursor is younger wait for the next batch: an open transaction may add some "
            "before them. Absent: 1m where the cursor is a date or a time.",
        ),
    ] = None
    credentials: Credentials | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("exactly one of table and query must be set")
        if not re.fullmatch(url_pattern(self.dialect), self.url):
            raise ValueError(_url_advice(self.dialect))
        return self

    @property
    def label(self) -> str:
        """Say in a column of `kubectl get` what is read."""
        return f"jdbc/{self.dialect}"

    @property
    def addresses(self) -> Mapping[str, str]:
        """Give, by field, every address that the namespace must be allowed to use."""
        return {"url": self.url}

    @property
    def secret_uses(self) -> tuple[SecretUse, ...]:
        """Give the keys of the Secret that may let a job in: a password, or for Snowflake a private key."""
        return uses_of(self.credentials, ("username", "password", "privateKey", "privateKeyPassphrase"))
