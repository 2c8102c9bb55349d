"""The Glue Data Catalog tells of the tables as runs leave them; what a run committed does not wait for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from lakehouse_api.catalog import CatalogResult, CatalogTable, Registration
from lakehouse_api.status import Outcome
from lakehouse_jobs.catalog.registering import registered
from lakehouse_jobs.ingest.job import Ended
from tests.aws import REGION, client, identity, refusing
from tests.spark.lake import PEOPLE, Lake, lines

pytestmark = pytest.mark.spark

CONTRACT = PEOPLE | {
    "description": "Who is who.",
    "properties": PEOPLE["properties"] | {"name": {"type": "string", "description": "As in the passport."}},
}
WIDER = CONTRACT | {
    "properties": CONTRACT["properties"]
    | {"lines": {"type": "array", "items": {"type": "object", "properties": {"Sku": {"type": "string"}}}}}
}
DRIFT = {"newColumns": "Evolve"}


@pytest.fixture(autouse=True)
def _identity() -> Iterator[None]:
    with identity():
        yield


def ran(lake: Lake, endpoint: str, slot: str, **job: Any) -> Ended:
    """Run a batch as a driver does, its catalogue being at an endpoint."""
    target = {"partitionBy": ["name"]}
    spec = lake.spec(slot, target=target, drift=DRIFT, source={"format": "ndjson"}, **job)
    names = {"people": spec.job.target.uri, "people__quarantine": spec.job.target.quarantine_uri}
    tables = [
        CatalogTable(
            uri=uri, database=lake.prefix, database_uri=lake.uri("bronze"), name=name, described="__" not in name
        )
        for name, uri in names.items()
    ]
    spec = spec.model_copy(update={"catalog": Registration(region=REGION, endpoint=endpoint, tables=tables)})
    ended = lake.ingest(slot, target=target, drift=DRIFT, source={"format": "ndjson"}, **job)
    return registered(lake.spark, spec, ended)


def entry(lake: Lake, aws: str, name: str = "people") -> Any:
    return client(aws, "glue").get_table(DatabaseName=lake.prefix, Name=name)["Table"]


def types(table: Any) -> dict[str, str]:
    return {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}


def test_the_catalogue_follows_the_table_and_a_run_that_could_not_tell_it_is_made_up_for(lake: Lake, aws: str) -> None:
    lake.put({"a.ndjson": lines('{"id": 1, "name": "Ada"}', '{"id": "x"}')})
    first = ran(lake, aws, "1", contract=CONTRACT)

    assert first.result.catalog == CatalogResult(registered=True, reason="Registered")
    table = entry(lake, aws)
    assert table["Description"] == "Who is who."
    assert types(table)["id"] == "bigint"
    assert table["PartitionKeys"] == [{"Name": "name", "Type": "string", "Comment": "As in the passport."}]
    assert table["StorageDescriptor"]["Location"] == lake.uri("bronze/people")
    reasons = "array<struct<path:string,keyword:string,message:string>>"
    assert types(entry(lake, aws, "people__quarantine"))["reasons"] == reasons

    lake.put({"b.ndjson": lines('{"id": 2, "name": "Bob", "lines": [{"Sku": "a"}]}')})
    with refusing("AccessDeniedException") as closed:
        second = ran(lake, closed.url, "2", contract=WIDER)

    assert (second.result.outcome, second.result.metrics["rowsWritten"]) == (Outcome.SUCCEEDED, 1)
    assert second.result.catalog is not None
    assert (second.result.catalog.registered, second.result.catalog.reason) == (False, "CatalogDenied")
    assert "lines" not in types(entry(lake, aws))

    third = ran(lake, aws, "3", contract=WIDER)

    assert third.result.reason == "NoNewFiles"
    assert third.result.catalog == CatalogResult(registered=True, reason="Registered")
    assert types(entry(lake, aws))["lines"] == "array<struct<sku:string>>"
