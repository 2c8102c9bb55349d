"""One dev cluster for all tests of a session."""

import os
from collections.abc import Iterator

import pytest

from lakehouse_dev.cluster.choice import choose
from lakehouse_dev.cluster.provider import Provider


@pytest.fixture(scope="session")
def cluster() -> Iterator[Provider]:
    """Return a running cluster named `e2e`: node, DNS and S3 ready. One that ran before the session is left running."""
    provider = choose(os.environ.get("CLUSTER", "auto"), "e2e")
    ran_before = provider.status().running
    provider.up()
    yield provider
    if not ran_before:
        provider.down()
