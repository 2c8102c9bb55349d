"""Which entries of the catalogue a pipeline's tables are, and what its status says of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse_api.catalog import CatalogResult
from lakehouse_api.run import IngestTarget
from lakehouse_operator.core.catalog import registration_of
from lakehouse_operator.core.config import Config
from tests import gen
from tests.world import World

TARGET = IngestTarget.model_validate(
    {
        "table": "bronze.orders",
        "uri": "s3://lake/bronze/orders",
        "quarantineUri": "s3://lake/bronze/orders__quarantine",
        "merge": {"keys": ["id"], "sequenceBy": ["at"], "into": "silver.orders"},
        "intoUri": "s3://lake/silver/orders",
    }
)
TAKEN = CatalogResult(registered=False, reason="CatalogTaken", message="bronze.crm_accounts is not this table")
GOOD = CatalogResult(registered=True, reason="Registered")


def config(**glue: Any) -> Config:
    return gen.config(catalog={"glue": glue})


def entries(**glue: Any) -> list[tuple[str, str, str, bool]]:
    registration = registration_of(TARGET, config(**glue))
    assert registration is not None
    return [(one.database, one.name, one.database_uri, one.described) for one in registration.tables]


def test_without_a_catalogue_there_is_nothing_to_register() -> None:
    assert registration_of(TARGET, gen.config()) is None


def test_a_table_is_in_the_database_of_its_schema() -> None:
    assert entries() == [
        ("bronze", "orders", "s3://lake/bronze", True),
        ("silver", "orders", "s3://lake/silver", True),
    ]


def test_an_environment_names_its_databases() -> None:
    found = entries(databasePrefix="dev_", databases={"bronze": "raw"}, quarantine=True)

    assert [database for database, *_ in found] == ["dev_raw", "dev_silver", "dev_raw"]
    assert found[-1] == ("dev_raw", "orders__quarantine", "s3://lake/bronze", False)


@pytest.mark.parametrize(
    "wrong", [{"databasePrefix": "Dev-"}, {"databases": {"bronze": ""}}, {"catalogId": "1"}, {"roleArn": "x"}]
)
def test_names_that_glue_does_not_take_are_no_settings(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


def ran(world: World, result: CatalogResult | None) -> World:
    """Let one run succeed with what it says of the catalogue."""
    (pod,) = world.live()
    document = gen.succeeded().model_copy(update={"catalog": result})
    world.pods[pod] = gen.ended(world.pods[pod], world.now, result=document)
    world.settle()
    return world


def again(world: World, token: str) -> World:
    world.body["metadata"].setdefault("annotations", {})["lakehouse.dev/run-now"] = token
    world.settle()
    return world


def started() -> World:
    world = World(body=gen.pipeline_body())
    world.settle()
    return world


def test_a_catalogue_that_does_not_follow_is_a_condition_and_one_event_and_no_failed_run() -> None:
    world = ran(started(), TAKEN)

    found = world.condition("Registered")
    assert found is not None
    assert (found["status"], found["reason"], found["message"]) == ("False", "CatalogTaken", TAKEN.message)
    assert (world.condition("Ready") or {})["status"] == "True"
    assert world.status["lastRun"]["catalog"]["reason"] == "CatalogTaken"

    ran(again(world, "2"), TAKEN)

    assert [event.reason for event in world.events].count("CatalogTaken") == 1


def test_the_next_run_that_succeeds_is_the_one_that_counts() -> None:
    world = ran(started(), TAKEN)
    again(world, "2")
    assert (world.condition("Registered") or {})["status"] == "False", "while a run is under way, nothing changes"

    ran(world, GOOD)
    assert (world.condition("Registered") or {})["status"] == "True"

    ran(again(world, "3"), None)
    assert world.condition("Registered") is None, "the environment has no catalogue any more"


def test_a_run_that_fails_says_nothing_of_the_catalogue() -> None:
    world = ran(started(), GOOD)
    again(world, "2")
    (pod,) = world.live()
    world.pods[pod] = gen.ended(world.pods[pod], world.now, code=64, result=gen.failed("ContractInvalid", retry=False))
    world.settle()

    assert (world.condition("Ready") or {})["status"] == "False"
    assert (world.condition("Registered") or {})["status"] == "True"
