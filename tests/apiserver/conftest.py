"""One real API server for all tests of a session; each test works in namespaces of its own."""

from collections.abc import Iterator

import pytest

from lakehouse_dev.control_plane import ControlPlane


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ControlPlane]:
    """Return a running API server with its controllers; `apiserver.kubeconfig` is the administrator's."""
    with ControlPlane(controller_manager=True) as control_plane:
        yield control_plane
