"""The first process of a node, as systemd is on a real one: starts the node's programs and restarts what ends.

It is process 1 of the node's own process, mount and network namespaces. When it ends, the kernel ends every process
of the node, pods included, and drops its mounts and network devices: that is all the cleaning a node needs.
Run as `python -m lakehouse_dev.cluster.init <spec.json>`.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.05
RESTART_SECONDS = 1.0


@dataclass(kw_only=True)
class Program:
    """One program of the node; it is started once all its `needs` (paths or `port:<number>`) are there."""

    name: str
    command: list[str]
    needs: list[str] = field(default_factory=list)
    pid: int = 0
    not_before: float = 0

    def due(self) -> bool:
        """Tell whether the program has to be started now."""
        return not self.pid and time.monotonic() >= self.not_before and all(map(present, self.needs))


def present(need: str) -> bool:
    """Tell whether a path exists or a loopback port accepts connections."""
    kind, _, port = need.partition(":")
    if kind != "port":
        return Path(need).exists()
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def supervise(programs: Sequence[Program], logs: Path) -> None:
    """Keep all programs running, for ever."""
    while True:
        for program in filter(Program.due, programs):
            program.pid = _start(program, logs / f"{program.name}.log")
        _reap(programs)
        time.sleep(POLL_SECONDS)


def mount(*arguments: str) -> None:
    """Mount inside the node's mount namespace."""
    subprocess.run(["mount", *arguments], check=True)


def prepare_mounts(binds: dict[str, str]) -> None:
    """Make mounts visible between the node's programs, hide the machine's /run, put files of the node over others."""
    mount("--make-rshared", "/")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for source, target in binds.items():
        mount("--bind", source, target)


def _start(program: Program, log: Path) -> int:
    output = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    actions = [output, (os.POSIX_SPAWN_DUP2, 1, 2)]
    return os.posix_spawnp(program.command[0], program.command, os.environ, file_actions=actions, setsid=True)


def _reap(programs: Sequence[Program]) -> None:
    """Collect what has ended, our programs and what was orphaned to us."""
    while pid := _ended():
        for program in programs:
            if program.pid == pid:
                program.pid, program.not_before = 0, time.monotonic() + RESTART_SECONDS


def _ended() -> int:
    try:
        return os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        return 0


def main() -> None:
    """Read the specification and supervise what it lists."""
    spec: dict[str, Any] = json.loads(Path(sys.argv[1]).read_bytes())
    socket.sethostname(spec["hostname"])
    prepare_mounts(spec["binds"])
    supervise([Program(**each) for each in spec["programs"]], Path(spec["logs"]))


if __name__ == "__main__":
    main()
