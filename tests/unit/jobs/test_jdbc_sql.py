"""What each dialect is asked, word for word: for Snowflake and Redshift there is no server to try it on."""

from collections.abc import Mapping
from typing import Any

import pytest

from lakehouse_api.sources.jdbc import Dialect, JdbcSource
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.sources.jdbc.columns import Column, Kind
from lakehouse_jobs.ingest.sources.jdbc.dialects import Sql, quoted, string
from lakehouse_jobs.ingest.sources.jdbc.postgres import POSTGRES
from lakehouse_jobs.ingest.sources.jdbc.redshift import REDSHIFT
from lakehouse_jobs.ingest.sources.jdbc.snowflake import SNOWFLAKE
from lakehouse_jobs.ingest.sources.jdbc.statements import Bounds, Statements, parts_of

URLS = {
    Dialect.POSTGRES: "jdbc:postgresql://db/shop",
    Dialect.REDSHIFT: "jdbc:redshift://cluster:5439/shop",
    Dialect.SNOWFLAKE: "jdbc:snowflake://org-account.snowflakecomputing.com/?warehouse=W",
}
SQL = {Dialect.POSTGRES: POSTGRES, Dialect.REDSHIFT: REDSHIFT, Dialect.SNOWFLAKE: SNOWFLAKE}
KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"


class Secret:
    def __init__(self, **keys: str) -> None:
        self._keys = keys

    def find(self, key: str) -> str | None:
        return self._keys.get(key)

    def require(self, key: str) -> str:
        return self._keys[key]


def statements(dialect: Dialect, snapshot: str | None = None, **source: Any) -> Statements:
    named = {"dialect": dialect, "url": URLS[dialect], "table": "public.Orders"} | source
    return Statements(sql=SQL[dialect], source=JdbcSource.model_validate(named), snapshot=snapshot)


def columns(sql: Sql, types: Mapping[str, str]) -> list[Column]:
    return [sql.column(f"c_{name}", type_, 0, 0) for name, type_ in types.items()]


def test_postgres_is_asked_for_a_frozen_window_with_values_as_texts() -> None:
    found = columns(
        POSTGRES, {"id": "int8", "n": "numeric", "t": "timestamptz", "b": "bytea", "a": "_int4", "d": "json"}
    )
    bounds = Bounds(column=found[2], after="2026-11-01T00:00:00+00:00", until="2026-11-01T00:00:00.000001+00:00")

    assert statements(Dialect.POSTGRES).rows(found, bounds, "c_id") == (
        'SELECT "c_id" AS "c_id", CAST("c_n" AS text) AS "c_n", CAST("c_t" AS text) AS "c_t", '
        "translate(encode(\"c_b\", 'base64'), CHR(10), '') AS \"c_b\", "
        'CAST(array_to_json("c_a") AS text) AS "c_a", CAST("c_d" AS text) AS "c_d", "c_id" AS lakehouse_part '
        'FROM "public"."Orders" '
        "WHERE \"c_t\" > CAST('2026-11-01T00:00:00+00:00' AS timestamp with time zone) "
        "AND \"c_t\" <= CAST('2026-11-01T00:00:00.000001+00:00' AS timestamp with time zone)"
    )


def test_redshift_is_asked_for_its_own_types() -> None:
    found = columns(REDSHIFT, {"s": "super", "v": "varbyte", "c": "bpchar", "t": "timestamp", "u": "varchar"})

    assert statements(Dialect.REDSHIFT).rows(found, Bounds(column=found[3], until="2026-11-01T00:00:00"), None) == (
        'SELECT JSON_SERIALIZE("c_s") AS "c_s", TO_HEX("c_v") AS "c_v", RTRIM("c_c") AS "c_c", '
        'CAST("c_t" AS varchar(64)) AS "c_t", "c_u" AS "c_u" FROM "public"."Orders" '
        "WHERE \"c_t\" <= CAST('2026-11-01T00:00:00' AS timestamp without time zone)"
    )


def test_snowflake_is_asked_for_texts_in_utc_and_for_one_past_state() -> None:
    types = {"N": "NUMBER", "L": "TIMESTAMPLTZ", "T": "TIMESTAMP_NTZ", "D": "DATE", "V": "VARIANT", "B": "BINARY"}
    found = columns(SNOWFLAKE, types | {"F": "DOUBLE", "S": "VARCHAR", "O": "TIME"})
    asked = statements(Dialect.SNOWFLAKE, "2026-11-01T00:00:00.123+00:00", table="SHOP.PUBLIC.ORDERS")

    assert asked.rows(found, Bounds(), "c_N") == (
        'SELECT TO_VARCHAR("c_N") AS "c_N", '
        'TO_VARCHAR(CONVERT_TIMEZONE(\'UTC\', "c_L"), \'YYYY-MM-DD"T"HH24:MI:SS.FF9TZH:TZM\') AS "c_L", '
        'TO_VARCHAR("c_T", \'YYYY-MM-DD"T"HH24:MI:SS.FF9\') AS "c_T", TO_VARCHAR("c_D", \'YYYY-MM-DD\') AS "c_D", '
        'TO_JSON("c_V") AS "c_V", BASE64_ENCODE("c_B") AS "c_B", "c_F" AS "c_F", "c_S" AS "c_S", '
        'TO_VARCHAR("c_O") AS "c_O", "c_N" AS lakehouse_part '
        'FROM "SHOP"."PUBLIC"."ORDERS" AT(TIMESTAMP => CAST(\'2026-11-01T00:00:00.123+00:00\' AS TIMESTAMP_LTZ))'
    )


def test_snowflake_is_asked_for_the_bounds_of_a_window_with_nine_digits() -> None:
    cursor = SNOWFLAKE.column("UPDATED_AT", "TIMESTAMPNTZ", 0, 9)
    bounds = Bounds(column=cursor, after="2026-11-01T00:00:00.000000001", until="2026-11-02T00:00:00")

    assert statements(Dialect.SNOWFLAKE).largest(cursor, bounds) == (
        'SELECT TO_VARCHAR(max("UPDATED_AT"), \'YYYY-MM-DD"T"HH24:MI:SS.FF9\') FROM "public"."Orders" '
        "WHERE \"UPDATED_AT\" > CAST('2026-11-01T00:00:00.000000001' AS TIMESTAMP_NTZ) "
        "AND \"UPDATED_AT\" <= CAST('2026-11-02T00:00:00' AS TIMESTAMP_NTZ)"
    )
    assert SNOWFLAKE.clock == (
        "SELECT TO_VARCHAR(CONVERT_TIMEZONE('UTC', CURRENT_TIMESTAMP()), 'YYYY-MM-DD\"T\"HH24:MI:SS.FF9')"
    )


def test_a_query_ends_where_it_ends_even_with_a_comment() -> None:
    asked = statements(Dialect.POSTGRES, table=None, query="SELECT 1 AS id -- one")

    assert asked.shape() == "SELECT * FROM (\nSELECT 1 AS id -- one\n) AS lakehouse_rows WHERE 1 = 0"
    assert asked.without_value(Column(name="id", type="int4", kind=Kind.INTEGER)).endswith('WHERE "id" IS NULL LIMIT 1')


def test_names_and_texts_cannot_leave_their_quotes() -> None:
    assert quoted('a"; DROP TABLE b') == '"a""; DROP TABLE b"'
    assert string("it's") == "'it''s'"
    assert string("a\\' OR 1=1") == "'a' || CHR(92) || ''' OR 1=1'"
    assert parts_of('"my.schema".Orders') == ["my.schema", "Orders"]


def test_a_number_that_is_none_is_no_literal() -> None:
    assert POSTGRES.literal(Kind.NUMBER, "-12.50") == "-12.50"
    with pytest.raises(ValueError, match="NaN"):
        POSTGRES.literal(Kind.NUMBER, "NaN")


def test_snowflake_logs_in_by_key_pair_where_there_is_a_key() -> None:
    told = SNOWFLAKE.log_in(Secret(username="LAKEHOUSE", privateKey=KEY, privateKeyPassphrase="phrase"))

    assert "password" not in told
    assert (told["user"], told["authenticator"], told["private_key_pwd"]) == ("LAKEHOUSE", "snowflake_jwt", "phrase")
    assert {name: told[name] for name in ("QUERY_TAG", "TIMEZONE", "JDBC_QUERY_RESULT_FORMAT")} == {
        "QUERY_TAG": "lakehouse-operator",
        "TIMEZONE": "UTC",
        "JDBC_QUERY_RESULT_FORMAT": "JSON",
    }
    assert SNOWFLAKE.log_in(Secret(username="L", password="p"))["password"] == "p"


def test_a_key_that_is_none_is_said_without_showing_it() -> None:
    with pytest.raises(JobError) as caught:
        SNOWFLAKE.log_in(Secret(username="L", privateKey="bm90IGEga2V5"))

    assert (caught.value.reason, "bm90" in caught.value.message) == ("CredentialsMissing", False)


def test_the_servers_of_postgres_and_redshift_are_given_up_when_silent() -> None:
    secret = Secret(username="u", password="p")

    for sql in (POSTGRES, REDSHIFT):
        told = sql.log_in(secret)
        assert (told["connectTimeout"], told["loginTimeout"], told["password"]) == ("10", "20", "p")
