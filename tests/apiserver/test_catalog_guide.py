"""The guide to the catalogue as its readers follow it: they see that a table is not registered, and run it again."""

from collections.abc import Iterator, Mapping

import pytest

from lakehouse_api.catalog import CatalogResult
from lakehouse_api.run import RunSpec
from tests.apiserver.guided import Guided
from tests.apiserver.kubelet import kubelet
from tests.apiserver.running import PIPELINES, condition, pipeline, status_of

pytestmark = pytest.mark.apiserver

DENIED = CatalogResult(registered=False, reason="CatalogDenied", message="bronze.found: the role may not do this")


async def test_an_entry_that_could_not_be_made_is_seen_and_made_up_for_as_the_guide_says(guided: Guided) -> None:
    answers: Iterator[CatalogResult] = iter((DENIED, CatalogResult(registered=True, reason="Registered")))

    def work(_asked: RunSpec) -> Mapping[str, object]:
        return {"catalog": next(answers).document()}

    async def stands(status: str) -> None:
        wanted = f"the condition Registered is {status}"
        await status_of(
            guided.client, guided.namespace, "found", lambda one: condition(one, "Registered")[0] == status, wanted
        )

    await guided.client.create(PIPELINES, guided.namespace, pipeline("found"))
    async with kubelet(guided.client, guided.namespace, work):
        await stands("False")
    (seen,) = await guided.follow("glue-catalog.md", "3. See it")
    assert "CatalogDenied" in seen
    assert DENIED.message in seen

    await guided.follow("glue-catalog.md", "When it says False", work=work)
    async with kubelet(guided.client, guided.namespace, work):
        await stands("True")
