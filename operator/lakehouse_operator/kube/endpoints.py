"""Where the API server keeps each kind of object that the operator touches."""

from dataclasses import dataclass

from lakehouse_api.kinds import API_VERSION, KINDS


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One namespaced resource of the API."""

    api_version: str
    plural: str
    kind: str

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """Give the path of a collection (all namespaces for None), an object, or a part of an object."""
        root = "/apis/" if "/" in self.api_version else "/api/"
        scope = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}{self.api_version}{scope}/{self.plural}" + "".join(f"/{p}" for p in (name, subresource) if p)


PODS = Endpoint(api_version="v1", plural="pods", kind="Pod")
CONFIG_MAPS = Endpoint(api_version="v1", plural="configmaps", kind="ConfigMap")
SECRETS = Endpoint(api_version="v1", plural="secrets", kind="Secret")
LEASES = Endpoint(api_version="coordination.k8s.io/v1", plural="leases", kind="Lease")
EVENTS = Endpoint(api_version="events.k8s.io/v1", plural="events", kind="Event")
RESOURCES = {kind.kind: Endpoint(api_version=API_VERSION, plural=kind.plural, kind=kind.kind) for kind in KINDS}

BY_KIND = {endpoint.kind: endpoint for endpoint in (PODS, CONFIG_MAPS)}
"""Kinds that a plan may name in stop, release and prune."""
