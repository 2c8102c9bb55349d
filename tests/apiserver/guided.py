"""Guides followed against the operator of the tests, by a reader in a namespace of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import SECRETS, Endpoint
from tests.apiserver.kubelet import Work, kubelet, succeed
from tests.apiserver.running import CONTRACTS, PIPELINES
from tests.guides import Reader


@dataclass(frozen=True, kw_only=True)
class Guided:
    """A namespace that the operator serves, and a reader there: `crm` and `lakehouse` of a page are this namespace."""

    client: Client
    namespace: str
    reader: Reader

    async def follow(self, page: str, *headings: str, work: Work = succeed) -> list[str]:
        """Follow a page while `work` does the jobs of the runs that it starts; gives what each command printed."""
        async with kubelet(self.client, self.namespace, work):
            return await asyncio.to_thread(self.reader.follow, page, *headings)


@asynccontextmanager
async def guided_in(client: Client, namespace: str, kubeconfig: Path, folder: Path) -> AsyncIterator[Guided]:
    """Give a namespace to follow guides in; what they make in it is deleted afterwards."""
    words = ("-n {}", "namespace: {}")
    places = {word.format(page): word.format(namespace) for word in words for page in ("lakehouse", "crm")}
    reader = Reader(folder=folder, kubeconfig=kubeconfig, places={**places, "…": "s3cret"})
    before = {kind: await _names(client, namespace, kind) for kind in (PIPELINES, CONTRACTS, SECRETS)}
    yield Guided(client=client, namespace=namespace, reader=reader)
    for kind, known in before.items():
        for name in await _names(client, namespace, kind) - known:
            await client.delete(kind, namespace, name)


async def _names(client: Client, namespace: str, kind: Endpoint) -> set[str]:
    return {one["metadata"]["name"] async for one in client.list(kind, namespace)}
