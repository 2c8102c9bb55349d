"""Gathering what one decision needs, one function per kind: from the store, live where that must not be wrong."""

from lakehouse_api.kinds import DATA_CONTRACT
from lakehouse_operator.core import data_contract, ingest_pipeline
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import PODS
from lakehouse_operator.kube.errors import NotFoundError
from lakehouse_operator.kube.store import Body, Key, Store, owner_uid


def pipeline_references(body: Body) -> tuple[Key, ...]:
    """Give the contract that a pipeline names; its spec may be anything a user can write."""
    contract = (body.get("spec") or {}).get("contract") or {}
    ref = contract.get("ref") if isinstance(contract, dict) else None
    return (Key(DATA_CONTRACT.kind, body["metadata"]["namespace"], ref),) if isinstance(ref, str) else ()


async def see_pipeline(client: Client, store: Store, resource: Resource) -> ingest_pipeline.Seen:
    """Gather the drivers and the contract of a pipeline, as if there were room for one more run."""
    missing = await _missing(client, store, resource)
    contract = pipeline_references({"spec": resource.spec, "metadata": {"namespace": resource.namespace}})
    return ingest_pipeline.Seen(
        drivers=_drivers(store, resource),
        contract=store.resource(contract[0]) if contract else None,
        room=True,
        missing=missing,
    )


async def see_contract(client: Client, store: Store, resource: Resource) -> data_contract.Seen:  # noqa: ARG001  # as for every kind
    """A contract is judged by itself."""
    return data_contract.Seen()


def _drivers(store: Store, resource: Resource) -> tuple[Body, ...]:
    """Give the driver Pods of this very resource, in the order of their names."""
    key = Key(resource.kind, resource.namespace, resource.name)
    own = (pod for pod in store.drivers(key) if owner_uid(pod) == resource.uid)
    return tuple(sorted(own, key=lambda pod: str(pod["metadata"]["name"])))


async def _missing(client: Client, store: Store, resource: Resource) -> frozenset[str]:
    """Give the active driver Pods that are gone; only a live read may say so, and it mends the store if it is wrong."""
    named = [str(run.get("pod")) for run in resource.status.get("active") or ()]
    unseen = [name for name in named if store.driver(resource.namespace, name) is None]
    return frozenset([name for name in unseen if not await _exists(client, store, resource, name)])


async def _exists(client: Client, store: Store, resource: Resource, name: str) -> bool:
    try:
        pod = await client.get(PODS, resource.namespace, name)
    except NotFoundError:
        return False
    store.put_driver(pod)
    return owner_uid(pod) == resource.uid
