"""Before the operator is uninstalled: nobody will take the results of drivers any more, so their Pods are let go.

`python -m lakehouse_operator.handlers.release` takes the operator's own options. It first takes the Lease, so that no
operator starts a driver behind its back; a driver that runs goes on to its end.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence

from lakehouse_operator.core import names
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.handlers.lease import Elector, LeadershipLostError
from lakehouse_operator.kube.access import AccessError, find_access
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import PODS
from lakehouse_operator.kube.errors import ClusterError, NotFoundError, RejectedError
from lakehouse_operator.kube.store import Body
from lakehouse_operator.settings import Options, parse_options
from lakehouse_operator.telemetry.log import configure_logging

_log = logging.getLogger(__name__)


async def release_drivers(client: Client, namespaces: Sequence[str]) -> int:
    """Take our finalizer off every driver Pod of these namespaces, none meaning all; answers how many had it."""
    count = 0
    for scope in namespaces or (None,):
        pods = [pod async for pod in client.list(PODS, scope, labels=names.DRIVER_SELECTOR)]
        for pod in pods:
            count += await _release(client, pod)
    return count


async def _release(client: Client, pod: Body) -> bool:
    """Release one Pod; its finalizers may change between the look and the call."""
    while names.DRIVER_FINALIZER in (pod["metadata"].get("finalizers") or ()):
        try:
            await client.remove_finalizer(PODS, pod, names.DRIVER_FINALIZER)
        except NotFoundError:
            return False
        except RejectedError:
            pod = await client.get(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
        else:
            return True
    return False


async def take_over_and_release(options: Options) -> int:
    """Stop whoever leads, then release every driver; answers how many.

    Raises:
        ClusterError, LeadershipLostError: not all could be released.
    """
    async with Client(find_access(options.kubeconfig)) as client:
        elector = Elector(
            client=client,
            namespace=options.lease_namespace,
            name=options.lease_name,
            identity=options.identity,
            clock=utc_now,
        )
        await elector.seize()
        return await release_drivers(client, options.namespaces)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; answers its exit code."""
    options = parse_options(arguments)
    configure_logging(options.log_level)
    try:
        count = asyncio.run(take_over_and_release(options))
    except (AccessError, ClusterError, LeadershipLostError) as error:
        _log.error("drivers not released: %s", error)
        return 1
    _log.info("released %d driver Pods", count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
