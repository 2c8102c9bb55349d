"""The ledger of plans against a simple model: every version of every file is read once."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lakehouse_api.run import RunSpec
from lakehouse_jobs.ingest.plan import Plan
from lakehouse_jobs.ingest.sources.files.ledger import SUMMARY_EVERY, Ledger, due, files_work, summary
from lakehouse_jobs.ingest.work import FileGroup, FilesWork, PlannedFile
from lakehouse_jobs.storage import Stored

DOCUMENT: dict[str, Any] = {
    "id": "ing-p-1-1-x",
    "kind": "IngestPipeline",
    "namespace": "n",
    "name": "p",
    "uid": "u",
    "slot": "1",
    "attempt": 1,
    "reportUri": "s3://lake/_runs",
    "stores": [],
    "job": {
        "source": {"files": {"uri": "s3://landing/p/", "format": "csv"}},
        "contract": {"name": "c", "version": "v", "schema": {"properties": {"a": {}}}},
        "target": {"table": "bronze.p", "uri": "s3://lake/p", "quarantineUri": "s3://lake/q"},
    },
}
RUN = RunSpec.model_validate(DOCUMENT)
Writes = Sequence[tuple[str, int]]


def needed(chain: Sequence[Plan]) -> Sequence[Plan]:
    """Read as few plans as the job does: back to the last one that says all."""
    return chain[max((place for place, plan in enumerate(chain) if plan.work.complete), default=0) :]


def plan_of(chain: Sequence[Plan], listing: Sequence[Stored], batch: int) -> Plan | None:
    before = needed(chain)
    ledger = Ledger.of(before)
    found = due(ledger, listing, None)
    if not found.files:
        return None
    files = [PlannedFile(uri=each.uri, size=each.size, modified=each.modified, etag=each.etag) for each in found.files]
    work = FilesWork(
        groups=[FileGroup(files=files)], rewritten=found.rewritten, summary=summary(ledger, listing, batch)
    )
    return Plan.new(RUN, before, batch=batch, work=work, now="2026-01-01T00:00:00Z")


@given(
    steps=st.lists(
        st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), max_size=3), min_size=1, max_size=60
    ),
    gaps=st.lists(st.integers(1, 3), min_size=60, max_size=60),
)
def test_every_version_is_read_when_it_first_appears_and_never_again(steps: Sequence[Writes], gaps: list[int]) -> None:
    chain: list[Plan] = []
    present: dict[str, str] = {}
    for writes, gap in zip(steps, gaps, strict=False):
        before = dict(present)
        present.update({name: f"v{version}" for name, version in writes})
        listing = [Stored(uri=name, size=1, modified=1, etag=etag) for name, etag in sorted(present.items())]

        plan = plan_of(chain, listing, (chain[-1].batch if chain else 0) + gap)

        expected = {(name, etag) for name, etag in present.items() if before.get(name) != etag}
        assert {(file.uri, file.etag) for file in (files_work(plan).files if plan else [])} == expected
        assert set(files_work(plan).rewritten if plan else ()) == {name for name, _ in expected if name in before}
        chain += [plan] if plan else []


@given(batches=st.integers(1, 100))
def test_the_way_back_to_a_summary_is_bounded(batches: int) -> None:
    chain: list[Plan] = []
    for batch in range(1, batches + 1):
        listing = [Stored(uri=f"f{batch}", size=1, modified=1, etag="e")]
        plan = plan_of(chain, listing, batch)
        assert plan is not None
        chain.append(plan)

    since = next((steps for steps, plan in enumerate(reversed(chain)) if plan.work.complete), len(chain))
    assert since < SUMMARY_EVERY
