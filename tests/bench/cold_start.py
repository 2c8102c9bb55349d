"""How long a cold Spark job takes: session, two commits, open and count, our image beside the stock one.

Both run in turn, on the same machine, against the same S3 on loopback, as uid 185 on a read-only root.
"""

import json
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from lakehouse_dev.errors import DevError
from lakehouse_dev.progress import say
from lakehouse_dev.s3 import S3, start_s3
from lakehouse_dev.sandbox import Sandbox, sandbox
from tests.bench.cold.variants import JOB, Variant, variants

ROUNDS = 3
CORES = 2
BUCKET = "bench"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One run: seconds of each step from the start of the process, and the CPU seconds of all of it."""

    steps: Mapping[str, float]
    cpu: float

    @property
    def total(self) -> float:
        """Seconds until the count was there."""
        return sum(self.steps.values())


def run() -> dict[str, Any]:
    """Measure several rounds; the result is in seconds, medians."""
    with tempfile.TemporaryDirectory(prefix="lakehouse-cold-") as directory, start_s3(Path(directory) / "s3") as store:
        store.client().create_bucket(Bucket=BUCKET)
        timings = measure(store, Path(directory))
    totals = {name: statistics.median(timing.total for timing in found) for name, found in timings.items()}
    return {
        "bench": "cold-start",
        "ours": round(totals["ours"], 2),
        "peer": round(totals["peer"], 2),
        "ratio": round(totals["ours"] / totals["peer"], 3),
        "unit": "s",
        "detail": {
            "where": "out of a pod",
            "cores": CORES,
            "rounds": ROUNDS,
            **{n: detail(t) for n, t in timings.items()},
        },
    }


def measure(store: S3, directory: Path) -> dict[str, list[Timing]]:
    """Run both variants in turn, a first time to warm the page cache, which does not count."""
    directory.chmod(0o755)  # the job is another user
    (directory / "job.py").write_bytes(Path(__file__).with_name("cold").joinpath("job.py").read_bytes())
    places = [(variant, sandbox(variant.image, mounts={"/bench": directory})) for variant in variants(CORES)]
    timings: dict[str, list[Timing]] = {variant.name: [] for variant, _ in places}
    for number in range(ROUNDS + 1):
        for variant, place in places:
            timing = once(variant, place, store, f"{variant.name}-{number}", directory)
            say(f"cold-start {number}/{ROUNDS}, {variant.name}: {timing.total:.1f} s, {timing.cpu:.1f} CPU-s")
            if number:
                timings[variant.name].append(timing)
    return timings


def once(variant: Variant, place: Sandbox, store: S3, table: str, directory: Path) -> Timing:
    """Run the job once in a fresh process."""
    (directory / "spark.properties").write_text(variant.properties(store))
    arguments = [*variant.start, "--properties-file", "/bench/spark.properties", JOB, f"s3a://{BUCKET}/{table}"]
    environment = {
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "PYSPARK_PYTHON": "/usr/bin/python3",
        "AWS_ACCESS_KEY_ID": store.access_key,
        "AWS_SECRET_ACCESS_KEY": store.secret_key,
        "SPARK_LOCAL_IP": "127.0.0.1",
        **variant.environment,
    }
    before, started = cpu_of_children(), time.monotonic()
    done = subprocess.run(place.command(arguments, environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"cold-start: the job of {variant.name} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    ends = json.loads(done.stdout.splitlines()[-1])["ends"]
    return Timing(steps=dict(steps(started, ends)), cpu=cpu_of_children() - before)


def steps(started: float, ends: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Yield how long each step took."""
    for name, (begin, end) in zip(ends, pairwise([started, *ends.values()]), strict=True):
        yield name, end - begin


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def detail(timings: list[Timing]) -> dict[str, Any]:
    """Return the median of each step and of the CPU time, and every total."""
    medians = {step: statistics.median(timing.steps[step] for timing in timings) for step in timings[0].steps}
    return {
        "steps": {step: round(seconds, 2) for step, seconds in medians.items()},
        "cpu_seconds": round(statistics.median(timing.cpu for timing in timings), 1),
        "totals": [round(timing.total, 2) for timing in timings],
    }


if __name__ == "__main__":
    print(json.dumps(run()))  # noqa: T201 - the result is the output
