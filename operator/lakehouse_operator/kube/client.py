"""The calls the operator makes to the API server. Everything that changes the cluster passes the guard first.

Retries are for answers that never came or that ask for patience (429, 5xx); a repeated POST is safe because every name
is derived from what the object is for: the second one meets the first and gets a conflict.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from lakehouse_operator.core.names import FIELD_MANAGER
from lakehouse_operator.core.plan import Manifest
from lakehouse_operator.kube.access import Access, Bearer
from lakehouse_operator.kube.endpoints import Endpoint
from lakehouse_operator.kube.errors import UnavailableError, error_of

WRITE_TIMEOUT_SECONDS = 5
"""Less than the time between losing the right to lead and another leader's start: a late write cannot meet it."""
READ_TIMEOUT_SECONDS = 30
PAGE = 500
CONNECTIONS = 32
ATTEMPTS = 4
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_GOOD = 300
_UNAUTHORIZED = 401

_JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_JSON_PATCH = "application/json-patch+json"
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"

_WRITE_LIMIT = aiohttp.ClientTimeout(total=WRITE_TIMEOUT_SECONDS)
_READ_LIMIT = aiohttp.ClientTimeout(total=READ_TIMEOUT_SECONDS)


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One request; only calls that change the cluster carry data."""

    verb: str
    url: URL
    headers: Mapping[str, str]
    data: bytes | None = None

    @property
    def name(self) -> str:
        return f"{self.verb} {self.url.path}"


def _always() -> None:
    """Guard nothing: reading clients and tests."""


def _uncounted(verb: str, code: int) -> None:
    """Count no calls."""


class Client:
    """One API server. Use as an async context manager.

    `guard` is called right before every attempt of a call that changes the cluster, and raises if this process may no
    longer act. `count` gets the verb and the HTTP code of every attempt, 0 if there was no answer. Calls beyond
    `connections` wait for a connection, and that time counts as time without an answer.
    """

    def __init__(
        self,
        access: Access,
        *,
        guard: Callable[[], None] = _always,
        count: Callable[[str, int], None] = _uncounted,
        connections: int = CONNECTIONS,
    ) -> None:
        self._access = access
        self._connections = connections
        self._bearer = Bearer(access)
        self._guard = guard
        self._count = count
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._access.ssl_context(), limit=self._connections)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, endpoint: Endpoint, namespace: str, name: str) -> Manifest:
        """Read one object.

        Raises:
            ClusterError: NotFoundError if there is none.
        """
        return await self._read(endpoint.path(namespace, name))

    async def list(
        self, endpoint: Endpoint, namespace: str | None = None, *, labels: str = "", metadata_only: bool = False
    ) -> AsyncIterator[Manifest]:
        """Read all objects of a kind, page by page, as they are now; items carry no kind."""
        params = {"limit": str(PAGE)} | ({"labelSelector": labels} if labels else {})
        headers = {"Accept": _METADATA_ONLY} if metadata_only else {}
        while True:
            page = await self._read(endpoint.path(namespace), params=params, headers=headers)
            for item in page.get("items") or ():
                yield item
            token = page["metadata"].get("continue")
            if not token:
                return
            params["continue"] = token

    async def create(self, endpoint: Endpoint, namespace: str, manifest: Manifest) -> Manifest:
        """Make an object; answers the object as stored.

        Raises:
            ClusterError: ConflictError with `exists` if the name is taken.
        """
        return await self._write("POST", endpoint.path(namespace), manifest)

    async def replace(self, endpoint: Endpoint, namespace: str, name: str, manifest: Manifest) -> Manifest:
        """Store an object over the version it carries.

        Raises:
            ClusterError: ConflictError if the object has changed since.
        """
        return await self._write("PUT", endpoint.path(namespace, name), manifest)

    async def delete(self, endpoint: Endpoint, namespace: str, name: str, *, uid: str | None = None) -> None:
        """Delete an object and what it owns; only the one with this uid.

        Raises:
            ClusterError: ConflictError if another object has the name now.
        """
        options: Manifest = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        await self._write("DELETE", endpoint.path(namespace, name), options)

    async def apply_status(
        self,
        endpoint: Endpoint,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        *,
        uid: str,
        resource_version: str | None = None,
    ) -> Manifest:
        """Make our status the status: server-side apply, what we no longer name is removed.

        Raises:
            ClusterError: ConflictError if the resource is another one now, or has changed since `resource_version`.
        """
        metadata = {"name": name, "namespace": namespace, "uid": uid}
        if resource_version is not None:
            metadata["resourceVersion"] = resource_version
        document = {"apiVersion": endpoint.api_version, "kind": endpoint.kind, "metadata": metadata, "status": status}
        params = {"fieldManager": FIELD_MANAGER, "force": "true"}
        path = endpoint.path(namespace, name, "status")
        return await self._write("PATCH", path, document, params=params, content_type=_APPLY)

    async def remove_finalizer(self, endpoint: Endpoint, manifest: Mapping[str, Any], finalizer: str) -> Manifest:
        """Remove one finalizer from exactly the object that was read.

        Raises:
            ClusterError: RejectedError if its finalizers, or the object behind the name, are others now.
        """
        metadata = manifest["metadata"]
        place = f"/metadata/finalizers/{metadata['finalizers'].index(finalizer)}"
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
            {"op": "test", "path": place, "value": finalizer},
            {"op": "remove", "path": place},
        ]
        path = endpoint.path(metadata["namespace"], metadata["name"])
        return await self._write("PATCH", path, patch, content_type=_JSON_PATCH)

    async def _read(
        self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Manifest:
        return await self._repeat(_Call(verb="GET", url=self._url(path, params), headers=headers or {}))

    async def _write(
        self,
        verb: str,
        path: str,
        body: Any,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = _JSON,
    ) -> Manifest:
        data = json.dumps(body, separators=(",", ":")).encode()
        headers = {"Content-Type": content_type}
        return await self._repeat(_Call(verb=verb, url=self._url(path, params), headers=headers, data=data))

    def _url(self, path: str, params: Mapping[str, str] | None) -> URL:
        return URL(self._access.server + path, encoded=True).with_query(params or {})

    async def _repeat(self, call: _Call) -> Manifest:
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._attempt(call)
            except UnavailableError as error:
                await asyncio.sleep(_pause(attempt, error))
        return await self._attempt(call)

    async def _attempt(self, call: _Call) -> Manifest:
        if call.data is not None:
            self._guard()
        answer, body = await self._exchange(call)
        self._count(call.verb, answer.status)
        if answer.status < _GOOD:
            document: Manifest = json.loads(body)
            return document
        if answer.status == _UNAUTHORIZED:
            self._bearer.forget()
        raise error_of(call.name, answer.status, _status(body), answer.headers.get("Retry-After"))

    async def _exchange(self, call: _Call) -> tuple[aiohttp.ClientResponse, bytes]:
        if self._session is None:
            raise RuntimeError("the client is used outside its context")
        try:
            async with self._session.request(
                call.verb,
                call.url,
                data=call.data,
                headers={**self._bearer.headers(), **call.headers},
                timeout=_READ_LIMIT if call.data is None else _WRITE_LIMIT,
                server_hostname=self._access.server_name,
            ) as answer:
                return answer, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._count(call.verb, 0)
            raise UnavailableError.without_answer(call.name, error) from error


def _status(body: bytes) -> Mapping[str, Any]:
    """Read the Status document of an answer; a proxy in between may have sent something else."""
    try:
        document = json.loads(body)
    except ValueError:
        return {"message": body[:200].decode(errors="replace")}
    return document if isinstance(document, dict) else {}


def _pause(attempt: int, error: UnavailableError) -> float:
    """Give the seconds to wait: what the server asks for, or a jittered, doubling time."""
    spread = random.uniform(0.5, 1.0)  # noqa: S311 - jitter, nothing secret
    wanted = error.retry_after or _FIRST_PAUSE_SECONDS * 2**attempt
    return spread * min(wanted, _LONGEST_PAUSE_SECONDS)
