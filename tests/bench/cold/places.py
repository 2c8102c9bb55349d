"""Where the job of the cold start runs: in a sandbox on this machine, or as a Pod of a cluster on it.

Both share the machine's monotonic clock with the job: a step begins when the one before it ended, the first one when
the process or Pod was asked for.
"""

import json
import resource
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from lakehouse_dev.errors import DevError
from lakehouse_dev.sandbox import sandbox
from tests.bench.cold.variants import JOB, Storage, Variant

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
JOB_FILE = Path(__file__).with_name("job.py")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One run: seconds of each step, and the CPU seconds of all of it where they can be told."""

    steps: Mapping[str, float]
    cpu: float | None

    @property
    def total(self) -> float:
        """Seconds until the count was there."""
        return sum(self.steps.values())


class Place(Protocol):
    """A place that can run the job of a variant."""

    @property
    def name(self) -> str:
        """Return what a report calls it."""

    def run(self, variant: Variant, table: str) -> Timing:
        """Run the job once, in a fresh process."""


@dataclass(frozen=True, kw_only=True)
class OutOfPod:
    """The image's files as a read-only root, without a container engine."""

    directory: Path
    storage: Storage
    name: str = "out of a pod"

    def run(self, variant: Variant, table: str) -> Timing:
        """Run the job once, in a fresh process."""
        self.directory.chmod(0o755)  # the job is another user
        (self.directory / "job.py").write_bytes(JOB_FILE.read_bytes())
        (self.directory / "spark.properties").write_text(variant.properties(self.storage))
        environment = {"PATH": PATH, "LANG": "C.UTF-8", "SPARK_LOCAL_IP": "127.0.0.1", **variant.variables()}
        inside = sandbox(variant.image, mounts={str(Path(JOB).parent): self.directory})
        command = inside.command([*variant.start, *variant.arguments(table)], environment)
        before, started = cpu_of_children(), time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DevError(f"cold-start: the job of {variant.name} failed:\n{(done.stdout + done.stderr)[-4000:]}")
        return Timing(steps=steps(started, done.stdout), cpu=cpu_of_children() - before)


def steps(started: float, output: str) -> dict[str, float]:
    """Return how long each step took, from what the job printed."""
    told = next(line for line in output.splitlines() if line.startswith('{"ends"'))
    ends: Mapping[str, float] = json.loads(told)["ends"]
    return dict(_durations(started, ends))


def _durations(started: float, ends: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for name, (begin, end) in zip(ends, pairwise([started, *ends.values()]), strict=True):
        yield name, end - begin


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
