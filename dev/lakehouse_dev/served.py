"""What every server on loopback has in common: it can be stopped, frozen and found dead."""

import signal
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from lakehouse_dev.errors import DevError
from lakehouse_dev.processes import Process


@dataclass(kw_only=True)
class Served(ABC):
    """A server in a process of its own; a context manager that stops it."""

    _process: Process | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @abstractmethod
    def described(self) -> str:
        """Say which server it is and where, to go on with "is stopped"."""

    def stop(self) -> None:
        """End the server at once, as an outage that refuses connections."""
        if self._process:
            self._process.kill()
        self._process = None

    def pause(self) -> None:
        """Freeze the server, as an outage in which requests hang."""
        self._running().send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._running().send(signal.SIGCONT)

    def _running(self) -> Process:
        if self._process is None:
            raise DevError(f"{self.described()} is stopped")
        return self._process
