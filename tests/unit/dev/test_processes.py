"""Programs by process id: ended for sure, never mistaken for another, their last words kept."""

import signal
from pathlib import Path

import pytest

from lakehouse_dev.errors import DevError
from lakehouse_dev.processes import Process, of_command, spawn
from lakehouse_dev.waiting import wait_until


def started(tmp_path: Path, script: str) -> Process:
    return spawn("test", ["sh", "-c", script], log=tmp_path / "log")


def test_a_stopped_program_is_gone(tmp_path: Path) -> None:
    process = started(tmp_path, "exec sleep 60")
    assert process.alive()

    process.stop()

    assert not process.alive()


def test_a_program_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    process = started(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.1; done")
    wait_until(lambda: process.log_tail() == "ready", what="the trap is set", timeout=10)

    process.stop(grace=0.2)

    assert not process.alive()


def test_a_later_process_with_the_same_id_is_not_the_program(tmp_path: Path) -> None:
    process = started(tmp_path, "exec sleep 60")
    earlier = Process(name="test", pid=process.pid, started=process.started - 1, log=process.log)

    assert not earlier.alive()
    earlier.send(signal.SIGKILL)

    assert process.alive()
    process.kill()


def test_the_end_of_the_log_is_in_the_error_when_a_program_has_ended(tmp_path: Path) -> None:
    process = started(tmp_path, "echo no such flag >&2; exit 2")
    wait_until(lambda: not process.alive(), what="it has ended", timeout=10)

    with pytest.raises(DevError, match=r"test has ended.*\n.*no such flag"):
        process.require_alive()


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(DevError, match="no program no-such-program"):
        spawn("test", ["no-such-program"], log=tmp_path / "log")


def test_a_program_is_found_by_its_command_line(tmp_path: Path) -> None:
    process = spawn("test", ["sleep", "61.5"], log=tmp_path / "log")

    found = of_command(lambda words: words[:2] == ["sleep", "61.5"], log=process.log)

    assert [each.pid for each in found] == [process.pid]
    process.kill()
