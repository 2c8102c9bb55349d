"""Gathering what one decision needs, one function per kind: from the store, live where that must not be wrong."""

from collections.abc import Mapping
from typing import Any

from lakehouse_api.data_contract import Consumer
from lakehouse_api.kinds import DATA_CONTRACT, INGEST_PIPELINE
from lakehouse_operator.core import data_contract, ingest_pipeline
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.sharing import Filler, fillers_of
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import PODS
from lakehouse_operator.kube.errors import NotFoundError
from lakehouse_operator.kube.judging import judge
from lakehouse_operator.kube.store import TABLE, Body, Key, Store, owner_uid


def pipeline_references(body: Body) -> Mapping[Key, Any]:
    """Give the contract that a pipeline names, which sees what version the pipeline last ran with, and its tables.

    The spec may be anything a user can write.
    """
    contract = _contract_of(body.get("spec") or {}, body["metadata"]["namespace"])
    tables = {_table(filler): filler for filler in fillers_of(body)}
    return {**tables, contract: _version_run(body)} if contract else tables


def _contract_of(spec: Body, namespace: str) -> Key | None:
    contract = spec.get("contract")
    ref = contract.get("ref") if isinstance(contract, dict) else None
    return Key(DATA_CONTRACT.kind, namespace, ref) if isinstance(ref, str) else None


def _table(filler: Filler) -> Key:
    return Key(TABLE, "", filler.table)


def contract_shown(body: Body) -> Any:
    """Give what pipelines see of a contract: its spec, and which version was accepted."""
    accepted = (body.get("status") or {}).get("accepted") or {}
    return body["metadata"].get("generation"), accepted.get("version")


async def see_pipeline(client: Client, store: Store, resource: Resource) -> ingest_pipeline.Seen:
    """Gather the drivers and the contract of a pipeline, as if there were room for one more run."""
    missing = await _missing(client, store, resource)
    contract = _contract_of(resource.spec, resource.namespace)
    return ingest_pipeline.Seen(
        drivers=_drivers(store, resource),
        contract=store.resource(contract) if contract else None,
        room=True,
        missing=missing,
        fillers=_fillers(store, resource),
    )


def _fillers(store: Store, resource: Resource) -> tuple[Filler, ...]:
    """Give the pipelines that fill the tables of this one, itself included."""
    own = store.resource(Key(resource.kind, resource.namespace, resource.name))
    tables = {_table(filler) for filler in fillers_of(own)} if own else set()
    names = {key for table in tables for key in store.dependents(table)}
    bodies = filter(None, map(store.resource, sorted(names)))
    return tuple(filler for body in bodies for filler in fillers_of(body) if _table(filler) in tables)


async def see_contract(client: Client, store: Store, resource: Resource) -> data_contract.Seen:  # noqa: ARG001  # as for every kind
    """Gather the pipelines that name a contract, and how a new version of it stands to the accepted one."""
    asked = data_contract.question(resource)
    return data_contract.Seen(
        consumers=_consumers(store, resource), verdict=await judge(asked) if asked is not None else None
    )


def _consumers(store: Store, resource: Resource) -> tuple[Consumer, ...]:
    keys = store.dependents(Key(resource.kind, resource.namespace, resource.name))
    bodies = ((key.name, store.resource(key)) for key in keys if key.kind == INGEST_PIPELINE.kind)
    return tuple(Consumer(name=name, version=_version_run(body)) for name, body in bodies if body is not None)


def _version_run(pipeline: Body) -> str | None:
    version = (pipeline.get("status") or {}).get("contractVersion")
    return version if isinstance(version, str) else None


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
