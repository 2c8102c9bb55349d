"""Who may start a run now: maxActiveRuns, for the operator and for each namespace.

Driver Pods that have not finished count, and so do launches that are under way. Who finds no room stands in line:
first come, first served within a namespace, namespaces in turn, so that one with a thousand pipelines holds up none.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable

from lakehouse_operator.core.config import Limits
from lakehouse_operator.kube.store import Key, Store


class RunLedger:
    """Grants the right to launch, one launch for each key. Nothing here awaits, so nothing can come between."""

    def __init__(self, *, limits: Limits, store: Store, wake: Callable[[Key], None]) -> None:
        self._limits = limits
        self._store = store
        self._wake = wake
        self._granted: set[Key] = set()
        self._granted_in: Counter[str] = Counter()
        self._lines: OrderedDict[str, OrderedDict[Key, None]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return sum(map(len, self._lines.values()))

    def acquire(self, key: Key) -> bool:
        """Tell whether this key may launch now; if not it stands in line and is woken when it may."""
        self.settle()
        if key in self._granted:
            return True
        line = self._lines.setdefault(key.namespace, OrderedDict())
        if not line and self._room(key.namespace):
            del self._lines[key.namespace]
            self._grant(key)
            return True
        line[key] = None
        return False

    def release(self, key: Key) -> None:
        """End a launch, or the wish for one: its Pod counts from now on, if there is one."""
        if key in self._granted:
            self._granted.discard(key)
            self._granted_in[key.namespace] -= 1
        line = self._lines.get(key.namespace)
        if line is not None:
            line.pop(key, None)
            self._tidy(key.namespace)
        self.settle()

    def settle(self) -> None:
        """Let those who are first in line go, as far as there is room now."""
        while (namespace := self._next_namespace()) is not None:
            key, _ = self._lines[namespace].popitem(last=False)
            self._grant(key)
            self._lines.move_to_end(namespace)
            self._tidy(namespace)
            self._wake(key)

    def _next_namespace(self) -> str | None:
        if not self._lines or not self._operator_has_room():
            return None
        return next((namespace for namespace in self._lines if self._room(namespace)), None)

    def _room(self, namespace: str) -> bool:
        taken = self._store.active(namespace) + self._granted_in[namespace]
        return taken < self._limits.namespace and self._operator_has_room()

    def _operator_has_room(self) -> bool:
        return self._store.active_total() + len(self._granted) < self._limits.operator

    def _grant(self, key: Key) -> None:
        self._granted.add(key)
        self._granted_in[key.namespace] += 1

    def _tidy(self, namespace: str) -> None:
        if not self._lines[namespace]:
            del self._lines[namespace]
