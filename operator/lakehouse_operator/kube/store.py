"""The operator's picture of the cluster: resources and driver Pods as they were last seen or written.

It is fed by watches, by lists, and by the answers to our own writes, in any order: an older version never replaces a
newer one, and what was deleted does not come back by a late event. It may lag behind the cluster; whatever must not be
wrong is read live before it is acted upon.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from lakehouse_operator.core import names

Body = Mapping[str, Any]
TOMBSTONES = 20_000
"""Deletions remembered; late events come within seconds, this is hours of them."""
TABLE = "Table"
"""The kind of what is no resource, and concerns those that refer to it: the tables that pipelines fill."""
_FINISHED = ("Succeeded", "Failed")


class Key(NamedTuple):
    """One resource of our group by its place in the cluster."""

    kind: str
    namespace: str
    name: str


References = Callable[[Body], Mapping[Key, Any]]
"""Gives the resources that a resource refers to, and what each of them sees of it: a change of that concerns them."""
Shown = Callable[[Body], Any]
"""Gives what those see of a resource that refer to it."""


def key_of(body: Body) -> Key:
    """Give the key of a resource."""
    metadata = body["metadata"]
    return Key(body["kind"], metadata["namespace"], metadata["name"])


def owner_uid(body: Body) -> str | None:
    """Give the uid of the object's controller, None if it has none."""
    return _controller(body).get("uid")


def owner_key(body: Body) -> Key:
    """Give the key of the resource an object of a run belongs to; its labels tell if its owner was taken away."""
    metadata = body["metadata"]
    owner, labels = _controller(body), metadata.get("labels") or {}
    kind = owner.get("kind") or labels.get(names.KIND, "")
    return Key(kind, metadata["namespace"], owner.get("name") or labels.get(names.NAME, ""))


def _controller(body: Body) -> Body:
    references = body["metadata"].get("ownerReferences") or ()
    return next((owner for owner in references if owner.get("controller")), {})


class Store:
    """All resources and driver Pods, by key. Every change answers with the keys that it concerns."""

    def __init__(self, references: Mapping[str, References], shown: Mapping[str, Shown] | None = None) -> None:
        self._references = references
        self._shown = shown or {}
        self._resources: dict[Key, Body] = {}
        self._dependents: defaultdict[Key, set[Key]] = defaultdict(set)
        self._drivers: defaultdict[Key, dict[str, Body]] = defaultdict(dict)
        self._drivers_by_name: dict[tuple[str, str], Body] = {}
        self._active: defaultdict[str, set[str]] = defaultdict(set)
        self._tombstones: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def resource(self, key: Key) -> Body | None:
        """Give a resource as last seen."""
        return self._resources.get(key)

    def resources(self) -> Iterator[Key]:
        """Give the keys of all resources, safe against changes meanwhile."""
        return iter(tuple(self._resources))

    def dependents(self, key: Key) -> tuple[Key, ...]:
        """Give the resources that refer to this one, sorted."""
        return tuple(sorted(self._dependents.get(key, ())))

    def drivers(self, key: Key) -> tuple[Body, ...]:
        """Give the driver Pods that belong to a resource, or to an earlier one of its name."""
        return tuple(self._drivers.get(key, {}).values())

    def driver(self, namespace: str, name: str) -> Body | None:
        """Give one driver Pod."""
        return self._drivers_by_name.get((namespace, name))

    def all_drivers(self) -> Iterator[Body]:
        """Give all driver Pods, safe against changes meanwhile."""
        return iter(tuple(self._drivers_by_name.values()))

    def active(self, namespace: str) -> int:
        """Count the driver Pods of a namespace that have not finished."""
        return len(self._active.get(namespace, ()))

    def active_total(self) -> int:
        """Count the driver Pods that have not finished."""
        return sum(map(len, self._active.values()))

    def is_news(self, body: Body, *, driver: bool) -> bool:
        """Tell whether an object is newer than what is known of it."""
        known = self._drivers_by_name.get(_place(body)) if driver else self._resources.get(key_of(body))
        place = ("Pod", *_place(body)) if driver else key_of(body)
        return self._is_news(place, known, body)

    def put_resource(self, body: Body) -> set[Key]:
        """Take a resource as it is now; answers who should look at it, nobody if it is not news."""
        key = key_of(body)
        before = self._resources.get(key)
        if not self._is_news(key, before, body):
            return set()
        self._resources[key] = _lean(body)
        concerned = self._dependents.get(key, ()) if self._shows_news(key, before, body) else ()
        return {key, *self._refer(key, before, body), *concerned}

    def remove_resource(self, body: Body) -> set[Key]:
        """Take note that a resource is gone."""
        key = key_of(body)
        before = self._resources.get(key)
        self._bury(key, body)
        if before is None or _version(before) > _version(body):
            return set()
        del self._resources[key]
        return {key, *self._refer(key, before, None), *self._dependents.get(key, ())}

    def put_driver(self, body: Body) -> set[Key]:
        """Take a driver Pod as it is now."""
        place = _place(body)
        before = self._drivers_by_name.get(place)
        if not self._is_news(("Pod", *place), before, body):
            return set()
        keys = self._forget_driver(before) if before is not None else set()
        lean, key = _lean(body), owner_key(body)
        self._drivers_by_name[place] = lean
        self._drivers[key][place[1]] = lean
        if (body.get("status") or {}).get("phase") not in _FINISHED:
            self._active[place[0]].add(place[1])
        return {key, *keys}

    def remove_driver(self, body: Body) -> set[Key]:
        """Take note that a driver Pod is gone."""
        place = _place(body)
        before = self._drivers_by_name.get(place)
        self._bury(("Pod", *place), body)
        if before is None or _version(before) > _version(body):
            return set()
        return self._forget_driver(before)

    def _forget_driver(self, pod: Body) -> set[Key]:
        namespace, name = place = _place(pod)
        key = owner_key(pod)
        del self._drivers_by_name[place]
        del self._drivers[key][name]
        if not self._drivers[key]:
            del self._drivers[key]
        self._active[namespace].discard(name)
        return {key}

    def _refer(self, key: Key, before: Body | None, now: Body | None) -> Iterable[Key]:
        """Keep the index of who refers to whom; answers the resources that see something else of it now.

        Those are what it refers to or did, and of a table the others that fill it.
        """
        references = self._references.get(key.kind)
        if references is None:
            return ()
        old = references(before) if before is not None else {}
        new = references(now) if now is not None else {}
        for gone in old.keys() - new.keys():
            self._dependents[gone].discard(key)
        for added in new.keys() - old.keys():
            self._dependents[added].add(key)
        changed = {one for one in old.keys() & new.keys() if old[one] != new[one]}
        news = (old.keys() ^ new.keys()) | changed
        others = (other for one in news if one.kind == TABLE for other in self._dependents[one] - {key})
        return {*(one for one in news if one in self._resources), *others}

    def _shows_news(self, key: Key, before: Body | None, now: Body) -> bool:
        shown = self._shown.get(key.kind)
        return shown is None or before is None or shown(before) != shown(now)

    def _is_news(self, place: tuple[str, str, str], before: Body | None, body: Body) -> bool:
        version = _version(body)
        if version <= self._tombstones.get(place, -1):
            return False
        return before is None or version > _version(before)

    def _bury(self, place: tuple[str, str, str], body: Body) -> None:
        self._tombstones[place] = max(_version(body), self._tombstones.pop(place, -1))
        if len(self._tombstones) > TOMBSTONES:
            self._tombstones.popitem(last=False)


def _place(body: Body) -> tuple[str, str]:
    return body["metadata"]["namespace"], body["metadata"]["name"]


def _version(body: Body) -> int:
    """Give the version as the number it is: a revision of etcd, growing over all objects."""
    return int(body["metadata"]["resourceVersion"])


def _lean(body: Body) -> Body:
    """Leave out who wrote which field: half of an object, and of no use here."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    return {**body, "metadata": metadata}
