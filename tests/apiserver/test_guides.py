"""The guides to the sources, as their readers follow them: the operator takes what they apply, and runs it.

The kubelet is played, so nothing is read here: the same sources are read in tests/spark, and on a node in tests/e2e.
"""

import pytest

from tests.apiserver.guided import Guided
from tests.apiserver.running import PIPELINES, condition, status_of

pytestmark = pytest.mark.apiserver


async def ready(guided: Guided) -> set[str]:
    """Name the pipelines whose last run succeeded."""
    found = [one async for one in guided.client.list(PIPELINES, guided.namespace)]
    return {one["metadata"]["name"] for one in found if condition(one["status"]) == ("True", "Ingested")}


async def test_files_are_ingested_as_the_guide_says(guided: Guided) -> None:
    await guided.follow("ingest-files.md")

    assert await ready(guided) == {"contacts"}


async def test_objects_of_a_crm_are_ingested_as_the_guide_says(guided: Guided) -> None:
    await guided.follow("ingest-crm.md")

    assert await ready(guided) == {"crm-contacts", "crm-opportunities"}


async def test_exchange_rates_are_ingested_as_the_guide_says(guided: Guided) -> None:
    await guided.follow("ingest-fx-rates.md")

    assert await ready(guided) == {"fx-rates"}


async def test_a_topic_is_ingested_as_the_guide_says(guided: Guided) -> None:
    await guided.follow("ingest-kafka.md", "2. The pipeline")

    assert await ready(guided) == {"kafka-events"}


async def test_a_table_of_redshift_is_ingested_as_the_guide_says(guided: Guided) -> None:
    await guided.follow("ingest-postgres-redshift.md")

    assert await ready(guided) == {"redshift-behavior"}


async def test_a_table_of_snowflake_is_ingested_as_the_guide_says_by_the_key_that_it_makes(guided: Guided) -> None:
    await guided.follow("ingest-snowflake.md")

    assert await ready(guided) == {"snowflake-orders"}


async def test_secrets_are_named_as_the_guide_says(guided: Guided) -> None:
    await guided.follow("secrets.md")

    seen = await status_of(
        guided.client, guided.namespace, "shop-orders", lambda one: one["observedGeneration"] == 2, "both ways are seen"
    )
    assert condition(seen, "Stalled") == ("", "")


async def test_changes_are_merged_as_the_guide_says(guided: Guided) -> None:
    await guided.follow("merge-changes.md")

    assert await ready(guided) == {"accounts"}
