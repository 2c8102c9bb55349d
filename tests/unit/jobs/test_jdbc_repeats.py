"""By which columns rows that a lookback reads again are known."""

from typing import Any

import pytest

from lakehouse_api.run import RunSpec
from lakehouse_jobs.contract.schema import read_contract
from lakehouse_jobs.ingest.sources.jdbc.repeats import Repeats
from tests.property.test_jobs_plan import DOCUMENT

MERGE = {"mode": "Merge", "merge": {"keys": ["id"], "sequenceBy": ["changed"]}}
OVERWRITE = {"mode": "Overwrite", "overwrite": {"by": ["changed"]}}


@pytest.mark.parametrize(
    ("keys", "target", "known_by"),
    [
        pytest.param(["id"], {}, ["id", "changed"], id="the keys of the contract"),
        pytest.param([], MERGE, ["id", "changed"], id="else those by which rows are merged"),
        pytest.param([], OVERWRITE, [], id="else nothing: a cursor alone has many rows"),
    ],
)
def test_rows_are_known_by_keys_and_cursor(keys: list[str], target: dict[str, Any], known_by: list[str]) -> None:
    schema = {"type": "object", "required": ["id"], "x-keys": keys, "properties": {"id": {}, "changed": {}}}
    job = DOCUMENT["job"] | {"incremental": {"cursor": "changed"}, "target": DOCUMENT["job"]["target"] | target}
    job["contract"] = job["contract"] | {"schema": schema}
    run = RunSpec.model_validate(DOCUMENT | {"job": job})

    assert Repeats(run=run, contract=read_contract(run.job.contract)).identity == known_by
