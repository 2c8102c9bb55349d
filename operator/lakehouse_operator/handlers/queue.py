"""The keys to look at: each at most once in line, and never in two workers at the same time."""

import asyncio
import time

from lakehouse_operator.kube.store import Key


class WorkQueue:
    """First come, first served. A key added while it is being worked on comes again when that is done."""

    def __init__(self) -> None:
        self._line: asyncio.Queue[Key | None] = asyncio.Queue()
        self._since: dict[Key, float] = {}
        self._working: dict[Key, float] = {}
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._closed = False

    def add(self, key: Key) -> None:
        """Have a key looked at as soon as a worker is free."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._since:
            self._since[key] = time.monotonic()
            self._line.put_nowait(key)

    def schedule(self, key: Key, seconds: float | None) -> None:
        """Have a key looked at after a time, instead of when it was scheduled before; None: not by itself."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if seconds is None:
            return
        if seconds <= 0:
            self.add(key)
            return
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self._ring, key)

    def _ring(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    async def get(self) -> Key | None:
        """Wait for the next key; the worker must say `done` afterwards. None: the queue is closed."""
        key = await self._line.get()
        if key is None or self._closed:
            self._line.put_nowait(None)  # for the next worker
            return None
        del self._since[key]
        self._working[key] = time.monotonic()
        return key

    def done(self, key: Key) -> None:
        """End the work on a key."""
        del self._working[key]
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Give out no more keys; what is being worked on is finished."""
        self._closed = True
        self._line.put_nowait(None)

    @property
    def depth(self) -> int:
        """How many keys wait for a worker."""
        return len(self._since)

    @property
    def working(self) -> int:
        """How many keys are being worked on."""
        return len(self._working)

    @property
    def oldest_seconds(self) -> float:
        """How long the key at the head of the line, or the longest worked on, has been at it."""
        starts = [next(iter(times.values())) for times in (self._since, self._working) if times]
        return time.monotonic() - min(starts) if starts else 0.0
