"""Leader election on a Lease: one operator acts, the others wait without watching anything.

Every renewal carries the version of the Lease that was read, so two holders cannot both succeed. Others wait until they
have seen no renewal for the whole duration by their own monotonic clock; nobody compares wall clocks.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lakehouse_operator.core.plan import Manifest
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import LEASES
from lakehouse_operator.kube.errors import ClusterError, ConflictError, NotFoundError

_REMEMBERED = 16
"""Renewals whose answer may have been lost and that may still turn up as the state of the Lease."""
_log = logging.getLogger(__name__)


class LeadershipLostError(Exception):
    """This process may no longer change the cluster and must end."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds. Between `renew_deadline` and `duration` lies the time that a write may still be under way."""

    duration: int = 15
    renew_deadline: float = 10.0
    retry: float = 2.0


class Elector:
    """Acquires, holds and gives back the Lease."""

    def __init__(
        self,
        *,
        client: Client,
        namespace: str,
        name: str,
        identity: str,
        clock: Callable[[], datetime],
        timing: Timing = Timing(),
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._timing = timing
        self._lease: Manifest = {}
        self._renewed = float("-inf")
        self._written: deque[str] = deque(maxlen=_REMEMBERED)
        self._seen, self._seen_at = "", 0.0

    @property
    def known(self) -> bool:
        """Tell whether the Lease has been read: the cluster answers, and our rights suffice."""
        return bool(self._lease)

    @property
    def renew_age(self) -> float:
        """Seconds since the last renewal that was confirmed; endless before the first."""
        return time.monotonic() - self._renewed

    @property
    def leads(self) -> bool:
        """Tell whether this process may act now."""
        return self.renew_age < self._timing.renew_deadline

    def require(self) -> None:
        """Guard every change of the cluster.

        Raises:
            LeadershipLostError: this process must not act.
        """
        if not self.leads:
            raise LeadershipLostError(f"the lease {self._namespace}/{self._name} was not renewed in time")

    async def acquire(self) -> None:
        """Wait until this process is the leader."""
        while not await self._try_to_take():  # noqa: ASYNC110 - what it waits for happens in another process
            await asyncio.sleep(self._timing.retry)
        _log.info("leading", extra={"lease": self._name, "identity": self._identity})

    async def seize(self) -> None:
        """Take the Lease from whoever has it, and return when that process can no longer act.

        Raises:
            ClusterError: the Lease cannot be read or written.
        """
        while True:
            self._lease = await self._read()
            try:
                await self._store(self._spec(self._identity, taken=True))
                break
            except ConflictError:  # its holder has just renewed it
                continue
        until = time.monotonic() + self._timing.renew_deadline
        while time.monotonic() < until:
            await asyncio.sleep(self._timing.retry)
            await self._renew()

    async def hold(self) -> None:
        """Renew for ever.

        Raises:
            LeadershipLostError: another process holds the Lease, or none could be reached for too long.
        """
        while True:
            await asyncio.sleep(self._timing.retry)
            try:
                async with asyncio.timeout(self._timing.renew_deadline - self.renew_age):
                    await self._renew()
            except (ClusterError, TimeoutError) as error:
                _log.warning("lease not renewed", extra={"error": str(error), "age": round(self.renew_age, 1)})
            self.require()

    async def release(self) -> None:
        """Let another process lead at once."""
        if not self.leads:
            return
        try:
            await self._store(self._spec("", taken=False))
        except ClusterError as error:
            _log.warning("lease not released", extra={"error": str(error)})
        self._renewed = float("-inf")

    async def _try_to_take(self) -> bool:
        try:
            self._lease = await self._read()
            if self._is_held_by_another():
                return False
            await self._store(self._spec(self._identity, taken=True))
        except ConflictError:
            return False
        except ClusterError as error:
            _log.warning("lease not acquired", extra={"error": str(error)})
            return False
        return True

    def _is_held_by_another(self) -> bool:
        """Tell whether somebody else has renewed within the duration, counted from when we first saw that renewal."""
        version = self._lease["metadata"]["resourceVersion"]
        if version != self._seen:
            self._seen, self._seen_at = version, time.monotonic()
        holder = (self._lease.get("spec") or {}).get("holderIdentity") or ""
        expired = time.monotonic() - self._seen_at > self._timing.duration
        return holder not in ("", self._identity) and not expired

    async def _renew(self) -> None:
        wanted = self._spec(self._identity, taken=False)
        try:
            await self._store(wanted)
        except (ConflictError, NotFoundError) as error:
            await self._require_own(error)

    async def _require_own(self, error: ClusterError) -> None:
        """Tell a Lease that another process took from a renewal of ours whose answer was lost."""
        self._lease = await self._read()
        if (self._lease.get("spec") or {}).get("renewTime") not in self._written:
            self._renewed = float("-inf")
            raise LeadershipLostError(f"another process has changed the lease: {error}") from error

    async def _read(self) -> Manifest:
        try:
            return await self._client.get(LEASES, self._namespace, self._name)
        except NotFoundError:
            empty = {"metadata": {"name": self._name, "namespace": self._namespace}, "spec": {}}
            return await self._client.create(LEASES, self._namespace, empty)

    async def _store(self, spec: dict[str, Any]) -> None:
        """Write over the version that was read; the time counts from before the call, when it was surely ours."""
        began = time.monotonic()
        self._written.append(spec["renewTime"])
        self._lease = await self._client.replace(LEASES, self._namespace, self._name, {**self._lease, "spec": spec})
        self._renewed = began

    def _spec(self, holder: str, *, taken: bool) -> dict[str, Any]:
        before = self._lease.get("spec") or {}
        now = self._clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": self._timing.duration,
            "acquireTime": now if taken else before.get("acquireTime", now),
            "renewTime": now,
            "leaseTransitions": before.get("leaseTransitions", 0) + taken,
        }
