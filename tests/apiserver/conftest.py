"""One real API server for all tests of a session; each test works in namespaces of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.apiserver.world import administrator

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.kube.client import Client


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ControlPlane]:
    """Return a running API server with its controllers; `apiserver.kubeconfig` is the administrator's."""
    with ControlPlane(controller_manager=True) as control_plane:
        yield control_plane


@pytest.fixture
async def client(apiserver: ControlPlane) -> AsyncIterator[Client]:
    """Return a client with the administrator's rights."""
    async with administrator(apiserver) as client:
        yield client
