"""By which columns a version of a row is known: every source that reads rows again asks for them here."""

from collections.abc import Sequence

import pytest

from lakehouse_jobs.ingest.versions import version_columns


@pytest.mark.parametrize(
    ("keys", "cursor", "known_by"),
    [
        pytest.param(["id"], "changed", ["id", "changed"], id="the keys and the cursor"),
        pytest.param(["changed", "id"], "changed", ["id", "changed"], id="a cursor that is a key too still comes last"),
        pytest.param([], "changed", [], id="without keys nothing: a cursor alone has many rows"),
        pytest.param(["id"], None, [], id="without a cursor nothing: a key has many versions"),
    ],
)
def test_a_version_is_known_by_keys_and_cursor(keys: Sequence[str], cursor: str | None, known_by: list[str]) -> None:
    assert version_columns(keys, cursor) == known_by
