"""The guide to lineage, as a reader follows it: what was lost is sent again with the key from the cluster."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from lakehouse_api.run import RunResult, RunSpec
from lakehouse_jobs.lineage.events import Events
from lakehouse_jobs.lineage.telling import LOST
from tests.apiserver.guided import Guided
from tests.apiserver.running import SETTINGS
from tests.lineage_endpoint import LineageEndpoint

pytestmark = pytest.mark.apiserver

AT = "2026-11-24T06:00:00Z"
URL = SETTINGS["openLineage"]["url"]


async def test_lineage_is_set_up_and_sent_again_as_the_guide_says(guided: Guided) -> None:
    def lose_events(asked: RunSpec) -> Mapping[str, object]:
        """End as a run whose endpoint was lost; what it kept is brought to the reader."""
        assert asked.lineage
        assert asked.lineage.endpoint.url == URL
        events = Events(run=asked, namespace=asked.lineage.endpoint.namespace)
        failed = RunResult(outcome="Failed", reason="SourceEmpty", message="it's empty: “nothing” \\ there")
        kept = [events.started(AT), events.failed(AT, failed)]
        (guided.reader.folder / "lost.ndjson").write_text("".join(f"{json.dumps(one)}\n" for one in kept))
        return {"metrics": {LOST: len(kept)}}

    with LineageEndpoint() as endpoint:
        reader = replace(guided.reader, places={**guided.reader.places, URL: endpoint.url})
        await replace(guided, reader=reader).follow("lineage.md", work=lose_events)

    assert endpoint.told() == ["START", "FAIL"]
    assert set(endpoint.keys) == {"Bearer s3cret"}
