"""One real API server for all tests of a session; each test works in namespaces of its own."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.kube.client import Client
from tests.apiserver.guided import Guided, guided_in
from tests.apiserver.installed import RELEASE, RELEASE_NAMESPACE, install, token_kubeconfig
from tests.apiserver.running import RunningOperator, until_leading
from tests.apiserver.world import administrator, make_namespace

T = TypeVar("T")


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


def once(control_plane: ControlPlane, work: Callable[[Client], Awaitable[T]]) -> T:
    """Do something with the administrator's rights, outside of any test's loop."""

    async def run() -> T:
        async with administrator(control_plane) as client:
            return await work(client)

    return asyncio.run(run())


@pytest.fixture(scope="session")
def installed(apiserver: ControlPlane) -> ControlPlane:
    """Return the API server with our CRDs, and the rights that the chart gives."""
    once(apiserver, install)
    return apiserver


@pytest.fixture(scope="session")
def operator_process(installed: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOperator]:
    """Start an operator with the chart's rights; it serves an open namespace, three narrow ones, and one for guides."""
    directory = tmp_path_factory.mktemp("operator")
    served = tuple(f"test-{kind}-{secrets.token_hex(3)}" for kind in ("shared", "small", "limited", "strict", "guides"))

    async def prepare(client: Client) -> Path:
        for namespace in served:
            strict = {"pod-security.kubernetes.io/enforce": "restricted"} if namespace == served[3] else {}
            await make_namespace(client, namespace, strict)
        file = directory / "kubeconfig"
        return await token_kubeconfig(client, installed, file, namespace=RELEASE_NAMESPACE, account=RELEASE)

    running = RunningOperator(
        directory=directory,
        kubeconfig=once(installed, prepare),
        identity=f"operator-{secrets.token_hex(3)}",
        lease=RELEASE,
        lease_namespace=RELEASE_NAMESPACE,
        namespaces=served,
    ).start()
    asyncio.run(until_leading(running))
    yield running
    running.stop()


@pytest.fixture
async def operator(operator_process: RunningOperator) -> RunningOperator:
    """Return the operator; started anew, as a kubelet would, if a test has kept the API server from it too long."""
    if not operator_process.running.alive():
        operator_process.start()
        await until_leading(operator_process)
    return operator_process


@pytest.fixture
async def guided(
    apiserver: ControlPlane, client: Client, operator: RunningOperator, tmp_path: Path
) -> AsyncIterator[Guided]:
    """Return a namespace in which guides can be followed; what they make in it is gone afterwards."""
    async with guided_in(client, operator.namespaces[4], apiserver.kubeconfig, tmp_path) as found:
        yield found
