"""The kubelet, played: the jobs of the driver Pods that are made in a namespace are done."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from lakehouse_api.run import RunSpec
from lakehouse_operator.core import names
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS
from tests.apiserver.running import drivers, finish

Work = Callable[[RunSpec], Mapping[str, object]]


def succeed(_asked: RunSpec) -> Mapping[str, object]:
    """Leave the result of a run that went well."""
    return {}


@asynccontextmanager
async def kubelet(client: Client, namespace: str, work: Work = succeed) -> AsyncIterator[None]:
    """Do the jobs of a namespace meanwhile; `work` takes a run.json, and gives the fields of the result document."""
    player = asyncio.create_task(_play(client, namespace, work))
    try:
        yield
    finally:
        player.cancel()
        with suppress(asyncio.CancelledError):
            await player


async def _play(client: Client, namespace: str, work: Work) -> None:
    while True:
        for pod in await drivers(client, namespace):
            if pod["status"]["phase"] == "Pending":
                document = await client.get(CONFIG_MAPS, namespace, pod["metadata"]["labels"][names.RUN])
                asked = RunSpec.model_validate_json(document["data"]["run.json"])
                await finish(client, pod, **await asyncio.to_thread(work, asked))
        await asyncio.sleep(0.2)
