"""The Glue Data Catalog follows a table, and says why when it does not. The service is moto's, the faults a front's."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lakehouse_api.catalog import CatalogTable, Glue
from lakehouse_dev.waiting import free_ports
from lakehouse_jobs.aws import clients
from lakehouse_jobs.catalog.columns import Column
from lakehouse_jobs.catalog.entry import Entry
from lakehouse_jobs.catalog.glue import LOOKS, CatalogError, DataCatalog
from tests.aws import IDENTITY, REGION, client, front, identity, refusing

ENTRY = Entry(name="orders", location="s3://lake/bronze/orders", columns=(Column(name="id", type="bigint"),))
WIDER = replace(ENTRY, columns=(*ENTRY.columns, Column(name="note", type="string")))


@pytest.fixture(autouse=True)
def _identity() -> Iterator[None]:
    with identity():
        yield


@pytest.fixture
def table(request: pytest.FixtureRequest) -> CatalogTable:
    """Return the place of a table in a database of the test's own."""
    database = re.sub(r"\W+", "_", request.node.name)[-60:].lower()
    return CatalogTable(uri=ENTRY.location, database=database, database_uri="s3a://lake/bronze/", name="orders")


def catalog(endpoint: str, *, region: str | None = REGION) -> DataCatalog:
    return DataCatalog(Glue(region=region, endpoint=endpoint))


def found(aws: str, table: CatalogTable) -> Any:
    return client(aws, "glue").get_table(DatabaseName=table.database, Name=table.name)["Table"]


def columns(aws: str, table: CatalogTable) -> list[str]:
    return [column["Name"] for column in found(aws, table)["StorageDescriptor"]["Columns"]]


def refusal(endpoint: str, table: CatalogTable, *, region: str | None = REGION) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        catalog(endpoint, region=region).follow(table, ENTRY)
    return caught.value


def test_the_first_run_makes_database_and_table(aws: str, table: CatalogTable) -> None:
    catalog(aws).follow(table, ENTRY)

    made = client(aws, "glue").get_database(Name=table.database)["Database"]
    assert made["LocationUri"] == "s3://lake/bronze"
    assert found(aws, table)["Parameters"]["table_type"] == "DELTA"
    assert columns(aws, table) == ["id"]


def test_a_run_that_changes_nothing_writes_nothing(aws: str, table: CatalogTable) -> None:
    catalog(aws).follow(table, ENTRY)
    with front(aws) as service:
        catalog(service.url).follow(table, ENTRY)

    assert service.asked == ["GetTable"]
    assert found(aws, table)["VersionId"] == "1"


def test_a_new_column_shows(aws: str, table: CatalogTable) -> None:
    catalog(aws).follow(table, ENTRY)
    catalog(aws).follow(table, WIDER)

    assert columns(aws, table) == ["id", "note"]
    assert found(aws, table)["VersionId"] == "2"


def test_a_database_of_somebody_else_is_used_as_it_is(aws: str, table: CatalogTable) -> None:
    theirs = {"Name": table.database, "LocationUri": "s3://theirs/", "Description": "Ours."}
    client(aws, "glue").create_database(DatabaseInput=theirs)

    catalog(aws).follow(table, ENTRY)

    kept = client(aws, "glue").get_database(Name=table.database)["Database"]
    assert (kept["LocationUri"], kept["Description"]) == ("s3://theirs/", "Ours.")


def test_a_table_of_somebody_else_is_not_touched(aws: str, table: CatalogTable) -> None:
    theirs = {"Name": "orders", "StorageDescriptor": {"Location": "s3://theirs/orders", "Columns": []}}
    glue = client(aws, "glue")
    glue.create_database(DatabaseInput={"Name": table.database})
    glue.create_table(DatabaseName=table.database, TableInput=theirs)

    failure = refusal(aws, table)

    assert failure.reason == "CatalogTaken"
    assert f"{table.database}.orders is not this table: it lies in s3://theirs/orders" in failure.message
    assert found(aws, table)["VersionId"] == "1"


def test_a_change_by_somebody_else_in_between_is_looked_at_first(aws: str, table: CatalogTable) -> None:
    catalog(aws).follow(table, ENTRY)
    with front(aws, {"UpdateTable": ["ConcurrentModificationException"] * 2}) as service:
        catalog(service.url).follow(table, WIDER)

    assert service.asked == ["GetTable", "UpdateTable"] * 3
    assert columns(aws, table) == ["id", "note"]


def test_a_table_that_another_run_made_meanwhile_is_looked_at(aws: str, table: CatalogTable) -> None:
    catalog(aws).follow(table, ENTRY)
    with front(aws, {"GetTable": ["EntityNotFoundException"], "CreateTable": ["AlreadyExistsException"]}) as service:
        catalog(service.url).follow(table, WIDER)

    assert columns(aws, table) == ["id", "note"]


def test_somebody_who_always_changes_it_is_left_to_the_next_run(aws: str, table: CatalogTable) -> None:
    catalog(aws).follow(table, ENTRY)
    with (
        front(aws, {"UpdateTable": ["ConcurrentModificationException"] * LOOKS}) as service,
        pytest.raises(CatalogError, match="CatalogConflict"),
    ):
        catalog(service.url).follow(table, WIDER)

    assert service.asked.count("UpdateTable") == LOOKS


@pytest.mark.parametrize(
    ("code", "status", "reason", "requests"),
    [
        ("AccessDeniedException", 400, "CatalogDenied", 1),
        ("ExpiredTokenException", 400, "CatalogDenied", 1),
        ("InvalidInputException", 400, "CatalogRefused", 1),
        ("ThrottlingException", 400, "CatalogUnavailable", clients.ATTEMPTS),
        ("InternalServiceException", 500, "CatalogUnavailable", clients.ATTEMPTS),
    ],
)
def test_a_refusal_has_its_reason(table: CatalogTable, code: str, status: int, reason: str, requests: int) -> None:
    with refusing(code, status) as service:
        failure = refusal(service.url, table)

    assert failure.reason == reason
    assert code in failure.message
    assert len(service.asked) == requests


def test_a_throttled_call_is_repeated(aws: str, table: CatalogTable) -> None:
    with front(aws, {"CreateTable": ["ThrottlingException"]}) as service:
        catalog(service.url).follow(table, ENTRY)

    assert columns(aws, table) == ["id"]


def test_a_service_that_cannot_be_reached_is_told(table: CatalogTable) -> None:
    failure = refusal(f"http://127.0.0.1:{free_ports(1)[0]}", table)

    assert failure.reason == "CatalogUnavailable"
    assert "settings.catalog.glue" in failure.message


def test_a_pod_without_an_identity_is_told_how_to_get_one(aws: str, table: CatalogTable) -> None:
    with identity(IDENTITY | {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}):
        failure = refusal(aws, table)

    assert failure.reason == "CatalogDenied"
    assert "driverAnnotations" in failure.message


def test_without_a_region_the_setting_is_named(aws: str, table: CatalogTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)

    assert "settings.catalog.glue" in refusal(aws, table, region=None).message
