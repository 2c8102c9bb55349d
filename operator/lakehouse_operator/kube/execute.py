"""Carrying out a Plan. The order of the steps is what makes a crash after any of them harmless (core/plan.py)."""

from collections.abc import Callable
from typing import Any

from lakehouse_operator.core import names
from lakehouse_operator.core.plan import Event, Launch, Manifest, ObjectRef, Plan, Refusal
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import BY_KIND, CONFIG_MAPS, PODS, RESOURCES, Endpoint
from lakehouse_operator.kube.errors import ClusterError, ConflictError, NotFoundError, RejectedError
from lakehouse_operator.kube.refusals import NAME_CONFLICT, refusal_of
from lakehouse_operator.kube.store import Body, Key, Store, key_of, owner_uid

Emit = Callable[[Resource, Event], None]


class StaleError(Exception):
    """The plan was made from an older version of the resource; the store has the new one."""


class GoneError(Exception):
    """The resource, or its namespace, is gone or going: there is nothing left to do."""


class RefusedError(Exception):
    """The cluster would not take the objects of a launch, and trying again does not help by itself."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Executor:
    """Carries out plans, one resource at a time."""

    def __init__(self, *, client: Client, store: Store, emit: Emit, wake: Callable[[Key], None]) -> None:
        self._client = client
        self._store = store
        self._emit = emit
        self._wake = wake

    async def carry_out(self, resource: Resource, plan: Plan) -> None:
        """Do what the plan says, in the order of its fields.

        Raises:
            StaleError: decide again, from what the store has now.
            GoneError: forget the resource.
            RefusedError: decide again, with the refusal.
            ClusterError: try again later.
        """
        for ref in plan.stop:
            await self._delete(resource, ref)
        if plan.launch is not None:
            await self._launch(resource, plan.launch)
        if plan.status is not None and plan.status != resource.status:
            await self._write_status(resource, plan)
        for ref in plan.release:
            await self.release(resource.namespace, ref.name)
        for ref in sorted(
            plan.prune, key=lambda ref: ref.kind == PODS.kind
        ):  # by its Pod the rest would be found again
            await self._delete(resource, ref)
        for event in plan.events:
            self._emit(resource, event)

    async def release(self, namespace: str, name: str) -> None:
        """Take our finalizer off a driver Pod."""
        pod = self._store.driver(namespace, name)
        try:
            pod = await self._take_off(pod or await self._client.get(PODS, namespace, name))
        except RejectedError:  # its finalizers have changed: look again, once
            try:
                pod = await self._take_off(await self._client.get(PODS, namespace, name))
            except NotFoundError:
                return
        except NotFoundError:
            return
        self._store.put_driver(pod)

    async def _take_off(self, pod: Body) -> Body:
        if names.DRIVER_FINALIZER not in (pod["metadata"].get("finalizers") or ()):
            return pod
        return await self._client.remove_finalizer(PODS, pod, names.DRIVER_FINALIZER)

    async def _delete(self, resource: Resource, ref: ObjectRef) -> None:
        """Delete an object of a run; for a Pod, only the one that was seen."""
        pod = self._store.driver(resource.namespace, ref.name) if ref.kind == PODS.kind else None
        uid = pod["metadata"]["uid"] if pod is not None else None
        try:
            await self._client.delete(BY_KIND[ref.kind], resource.namespace, ref.name, uid=uid)
        except (NotFoundError, ConflictError):
            return

    async def _launch(self, resource: Resource, launch: Launch) -> None:
        """Create the objects of an attempt, if the resource is still exactly what the decision was made from.

        The picture in the store may be older than the last status that was written, and the Pod of a finished run may
        be gone already: a launch from such a picture would run a slot twice. A resource of the same version cannot hide
        it, because a run is in the status before its Pod may go.
        """
        await self._require_unchanged(resource)
        try:
            fresh = await self._post(CONFIG_MAPS, resource, launch, launch.config_map)
            if not fresh:
                await self._renew_config_map(resource, launch)
            await self._post(PODS, resource, launch, launch.pod)
        except NotFoundError as error:  # of a POST: the namespace is gone
            raise GoneError(error.message) from error

    async def _require_unchanged(self, resource: Resource) -> None:
        endpoint = RESOURCES[resource.kind]
        try:
            live = await self._client.get(endpoint, resource.namespace, resource.name)
        except NotFoundError as error:
            raise GoneError(error.message) from error
        if live["metadata"]["resourceVersion"] != resource.resource_version:
            self._learn(live)
            raise StaleError

    async def _post(self, endpoint: Endpoint, resource: Resource, launch: Launch, manifest: Manifest) -> bool:
        """Create an object of a run, or adopt the one that an earlier, interrupted try has made; answers if created."""
        stored: Body | None = None
        try:
            stored = await self._client.create(endpoint, resource.namespace, manifest)
        except ConflictError as error:
            if not error.exists:
                raise
        except ClusterError as error:
            raise _verdict(error) from error
        known = stored or await self._adopt(endpoint, resource, launch, manifest["metadata"]["name"])
        if endpoint is PODS:
            self._store.put_driver(known)
        return stored is not None

    async def _adopt(self, endpoint: Endpoint, resource: Resource, launch: Launch, name: str) -> Body:
        try:
            found = await self._client.get(endpoint, resource.namespace, name)
        except NotFoundError as error:
            raise StaleError from error
        labels = found["metadata"].get("labels") or {}
        if owner_uid(found) == resource.uid and labels.get(names.RUN) == launch.run_id:
            return found
        message = f"{endpoint.kind} {name} exists and is not of this run; delete it, or rename this {resource.kind}"
        raise RefusedError(Refusal(reason=NAME_CONFLICT, message=message))

    async def _renew_config_map(self, resource: Resource, launch: Launch) -> None:
        """Replace a ConfigMap left by an interrupted launch if the spec has changed since; its Pod was never made."""
        pod, name = launch.pod["metadata"]["name"], launch.config_map["metadata"]["name"]
        if await self._find(PODS, resource.namespace, pod) is not None:
            return
        found = await self._find(CONFIG_MAPS, resource.namespace, name)
        if found is not None and found.get("data") == launch.config_map.get("data"):
            return
        if found is not None:
            await self._client.delete(CONFIG_MAPS, resource.namespace, name, uid=found["metadata"]["uid"])
        await self._post(CONFIG_MAPS, resource, launch, launch.config_map)

    async def _find(self, endpoint: Endpoint, namespace: str, name: str) -> Body | None:
        try:
            return await self._client.get(endpoint, namespace, name)
        except NotFoundError:
            return None

    async def _write_status(self, resource: Resource, plan: Plan) -> None:
        """Store the status on the very version it was decided from; anything newer asks for a new decision."""
        endpoint = RESOURCES[resource.kind]
        status: dict[str, Any] = dict(plan.status or {})
        try:
            written = await self._client.apply_status(
                endpoint,
                resource.namespace,
                resource.name,
                status,
                uid=resource.uid,
                resource_version=resource.resource_version,
            )
        except NotFoundError as error:
            raise GoneError(error.message) from error
        except ConflictError as error:
            await self._refresh(resource)
            raise StaleError from error
        self._learn(written)

    async def _refresh(self, resource: Resource) -> None:
        live = await self._find(RESOURCES[resource.kind], resource.namespace, resource.name)
        if live is None:
            raise GoneError(resource.name)
        self._learn(live)

    def _learn(self, body: Body) -> None:
        """Take a resource as it is now; its watch event will be no news, so whom else it concerns is woken here."""
        for key in self._store.put_resource(body) - {key_of(body)}:
            self._wake(key)


def _verdict(error: ClusterError) -> Exception:
    """Tell apart what to do about a launch that the server did not take."""
    if error.namespace_ends:
        return GoneError(error.message)
    refusal = refusal_of(error)
    return RefusedError(refusal) if refusal is not None else error
