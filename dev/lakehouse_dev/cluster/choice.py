"""Which provider serves a cluster."""

from collections.abc import Callable

from lakehouse_dev.cluster.kind import KindCluster
from lakehouse_dev.cluster.native import NativeCluster
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.errors import DevError
from lakehouse_dev.images import docker_answers

DEFAULT_NAME = "lakehouse"
PROVIDERS: dict[str, Callable[[str], Provider]] = {
    "kind": lambda name: KindCluster(name=name),
    "native": lambda name: NativeCluster(name=name),
}


def choose(provider: str, name: str) -> Provider:
    """Return a cluster by name; `auto` is kind where a Docker engine answers, else native."""
    if not name.isidentifier() and not name.replace("-", "").isalnum():
        raise DevError(f"cluster name {name!r}: use letters, digits and dashes")
    wanted = ("kind" if docker_answers() else "native") if provider == "auto" else provider
    return PROVIDERS[wanted](name)
