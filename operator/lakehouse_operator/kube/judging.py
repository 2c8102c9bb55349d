"""Comparing two versions of a contract in a process of its own.

A schema is written by somebody else, and comparing it runs their regular expressions: one that backtracks for years
must not stop the operator. The process gets little memory and little time, and there is never more than one.
"""

import asyncio
import json
import resource
import sys
from typing import Final

from pydantic import ValidationError

from lakehouse_api.data_contract import Compatibility
from lakehouse_operator.core.compatibility_verdict import PROMISES, Outcome, Verdict
from lakehouse_operator.core.data_contract import Question

MEMORY_BYTES: Final = 256 * 2**20
CPU_SECONDS: Final = 10
PATIENCE_SECONDS: Final = 30.0
_busy = asyncio.Semaphore(1)


async def judge(question: Question, *, cpu_seconds: int = CPU_SECONDS) -> Verdict | None:
    """Give the verdict on a change; None while another one is being judged."""
    if _busy.locked():
        return None
    async with _busy:
        return await _judge(question, cpu_seconds)


async def _judge(question: Question, cpu_seconds: int) -> Verdict:
    document = json.dumps({"old": question.old, "new": question.new, "mode": question.mode})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", __name__, str(cpu_seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        answer, _ = await asyncio.wait_for(process.communicate(document.encode()), PATIENCE_SECONDS)
        return Verdict.model_validate_json(answer)
    except (TimeoutError, ValidationError):
        return _unknown(question.mode, cpu_seconds)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _unknown(mode: Compatibility, cpu_seconds: int) -> Verdict:
    note = f"Comparing it took more than {cpu_seconds} s or {MEMORY_BYTES >> 20} MiB; simpler patterns may help."
    return Verdict(mode=mode, outcome=Outcome.UNKNOWN, unproven=tuple(sorted(PROMISES[mode])), note=note)


def main() -> None:
    """Read a question from the standard input, write its verdict to the standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[1]), int(sys.argv[1])))
    from lakehouse_operator.core.compatibility import compare  # noqa: PLC0415  # only here, so that only here it costs

    asked = json.load(sys.stdin)
    verdict = compare(asked["old"], asked["new"], Compatibility(asked["mode"]))
    sys.stdout.write(json.dumps(verdict.document()))


if __name__ == "__main__":
    main()
