"""Long-running programs by process id, safe against a reused id and against leaving zombies."""

import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse_dev.errors import DevError
from lakehouse_dev.waiting import wait_until

LOG_TAIL_LINES = 20


@dataclass(frozen=True, kw_only=True)
class Process:
    """A started program; `started` (clock ticks since boot) tells it from a later one with the same pid."""

    name: str
    pid: int
    started: int
    log: Path

    def alive(self) -> bool:
        """Tell whether the program still runs."""
        _reap(self.pid)
        return _start_time(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the program is gone already."""
        if self.alive():
            os.kill(self.pid, number)

    def stop(self, *, grace: float = 10) -> None:
        """End the program and wait for it: SIGTERM, then SIGKILL after `grace` seconds."""
        self.send(signal.SIGTERM)
        try:
            self._wait_gone(grace)
        except DevError:
            self.kill()

    def kill(self) -> None:
        """End the program at once and wait until it is gone."""
        self.send(signal.SIGKILL)
        self._wait_gone(10)

    def log_tail(self) -> str:
        """Return the last lines the program wrote."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def require_alive(self) -> None:
        """Raise DevError with the end of the log if the program has ended."""
        if not self.alive():
            raise DevError(f"{self.name} has ended; the end of {self.log}:\n{self.log_tail()}")

    def _wait_gone(self, timeout: float) -> None:
        wait_until(lambda: not self.alive(), what=f"{self.name} (pid {self.pid}) ended", timeout=timeout)


def spawn(name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> Process:
    """Start a program in a session of its own; it outlives its caller. Output goes to the end of `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    program = shutil.which(command[0])
    if program is None:
        raise DevError(f"{name}: no program {command[0]}")
    output = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), output, (os.POSIX_SPAWN_DUP2, 1, 2)]
    pid = os.posix_spawn(program, list(command), {**os.environ, **(env or {})}, file_actions=actions, setsid=True)
    return of_pid(name, pid, log=log)


def spawn_bound(name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> Process:
    """Start a program that the kernel kills when the calling thread ends, however that happens."""
    return spawn(name, ["setpriv", "--pdeathsig", "KILL", *command], log=log, env=env)


def of_pid(name: str, pid: int, *, log: Path) -> Process:
    """Return the program that runs under a process id now."""
    return Process(name=name, pid=pid, started=_start_time(pid) or 0, log=log)


def of_command(matches: Callable[[list[str]], bool], *, log: Path) -> list[Process]:
    """Return the programs whose command line, as words, matches."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_text(errors="replace").split("\0")
        except OSError:  # ended a moment ago
            continue
        if matches(words):
            found.append(of_pid(words[0], int(directory.name), log=log))
    return found


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _start_time(pid: int) -> int | None:
    """Return field 22 of /proc/<pid>/stat, or None when there is no such process or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])
