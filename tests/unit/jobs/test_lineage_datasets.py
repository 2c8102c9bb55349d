"""Names of datasets: those that other producers of OpenLineage events give the same things."""

from typing import Any

import pytest

from lakehouse_api.ingest_pipeline import Source
from lakehouse_jobs.lineage.datasets import source_dataset, table_dataset


def jdbc(dialect: str, url: str, **more: Any) -> dict[str, Any]:
    return {"jdbc": {"dialect": dialect, "url": url, **(more or {"table": "orders"})}}


def rest(url: str, **more: Any) -> dict[str, Any]:
    return {"rest": {"url": url, "flavor": "generic", **more}}


KAFKA = {"kafka": {"bootstrapServers": "kafka-1.example.com:9092,kafka-2:9093", "topic": "events", "format": "json"}}
POSTGRES = "jdbc:postgresql://db.example.com/shop"
REDSHIFT = "jdbc:redshift://clicks.c0ffee.eu-central-1.redshift.amazonaws.com:5439/web"
SERVERLESS = "jdbc:redshift://clicks.111122223333.eu-central-1.redshift-serverless.amazonaws.com/web"
SNOWFLAKE = "jdbc:snowflake://acme-sales.snowflakecomputing.com/?db=SHOP&schema=PUBLIC&warehouse=W"


@pytest.mark.parametrize(
    ("source", "namespace", "name"),
    [
        pytest.param(
            {"files": {"uri": "s3://landing/crm/accounts/", "format": "csv"}},
            *("s3://landing", "crm/accounts"),
            id="a folder is named by bucket and key",
        ),
        pytest.param(
            {"files": {"uri": "s3://landing/", "format": "csv"}}, "s3://landing", "/", id="a whole bucket has a name"
        ),
        pytest.param(KAFKA, "kafka://kafka-1.example.com:9092", "events", id="a topic is named by its first broker"),
        pytest.param(
            jdbc("postgres", POSTGRES),
            *("postgres://db.example.com:5432", "shop.public.orders"),
            id="PostgreSQL has a port and a schema by default",
        ),
        pytest.param(
            jdbc("postgres", f"{POSTGRES}?currentSchema=sales,public"),
            *("postgres://db.example.com:5432", "shop.sales.orders"),
            id="the connection may say the schema",
        ),
        pytest.param(
            jdbc("postgres", "jdbc:postgresql://db:6432/shop", table='sales."Order.Lines"'),
            *("postgres://db:6432", "shop.sales.Order.Lines"),
            id="a quoted name is named without quotes",
        ),
        pytest.param(
            jdbc("postgres", POSTGRES, query="SELECT 1"),
            *("postgres://db.example.com:5432", "shop.public.query"),
            id="a query is what its database gives",
        ),
        pytest.param(
            jdbc("redshift", REDSHIFT, table="public.clicks"),
            *("redshift://clicks.eu-central-1:5439", "web.public.clicks"),
            id="a cluster of Redshift is named by itself and its region",
        ),
        pytest.param(
            jdbc("redshift", SERVERLESS),
            *("redshift://clicks.eu-central-1:5439", "web.public.orders"),
            id="a workgroup",
        ),
        pytest.param(
            jdbc("redshift", "jdbc:redshift://warehouse:5440/web", table="other.public.clicks"),
            *("redshift://warehouse:5440", "other.public.clicks"),
            id="a Redshift behind another name, a table of another database",
        ),
        pytest.param(
            jdbc("snowflake", SNOWFLAKE, table="ORDERS"),
            *("snowflake://acme-sales", "SHOP.PUBLIC.ORDERS"),
            id="Snowflake is named by organisation and account",
        ),
        pytest.param(
            jdbc("snowflake", SNOWFLAKE, table="OTHER.ORDERS"),
            *("snowflake://acme-sales", "SHOP.OTHER.ORDERS"),
            id="a schema in the table's name outranks the connection's",
        ),
        pytest.param(
            {
                "rest": {
                    "url": "https://acme.my.salesforce.com/services/data/v62.0",
                    "flavor": "salesforce",
                    "object": "Contact",
                }
            },
            *("https://acme.my.salesforce.com", "services/data/v62.0/Contact"),
            id="an object of a CRM",
        ),
        pytest.param(rest("https://api.example.com"), "https://api.example.com", "/", id="an API without a path"),
    ],
)
def test_a_source_has_the_name_that_others_give_it(source: dict[str, Any], namespace: str, name: str) -> None:
    dataset = source_dataset(Source.model_validate(source).chosen)

    assert (dataset.namespace, dataset.name) == (namespace, name)


def test_a_table_is_named_by_bucket_and_key() -> None:
    dataset = table_dataset("s3://lake/warehouse/bronze/orders")

    assert (dataset.namespace, dataset.name, dataset.kind) == ("s3://lake", "warehouse/bronze/orders", "TABLE")
