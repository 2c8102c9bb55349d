"""How long a cold Spark job takes: session, two commits, open and count, our image beside the stock one.

Both run in turn, on the same machine, against the same S3, as uid 185 on a read-only root: first on the machine itself,
then as Pods of a cluster. The result is that of the place where ours does worse.
"""

import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakehouse_dev import s3
from lakehouse_dev.cluster.choice import choose
from lakehouse_dev.progress import say
from tests.bench.cold.places import OutOfPod, Place, Timing
from tests.bench.cold.pods import InPod
from tests.bench.cold.variants import BUCKET, Storage, Variant, variants

ROUNDS = 3
CORES = 2


def run() -> dict[str, Any]:
    """Measure several rounds in both places; the result is in seconds, medians."""
    sides = variants(CORES)
    with out_of_pod() as place:
        outside = measure(place, sides)
    with in_pod(sides) as place:
        inside = measure(place, sides)
    worse, other = sorted((outside, inside), key=lambda each: -each["ratio"])
    figures = {key: worse[key] for key in ("ours", "peer", "ratio")}
    detail = {"cores": CORES, "rounds": ROUNDS, **worse["detail"], "elsewhere": other}
    return {"bench": "cold-start", **figures, "unit": "s", "detail": detail}


@contextmanager
def out_of_pod() -> Iterator[Place]:
    """Give a place on this machine, with an S3 of its own on loopback."""
    with tempfile.TemporaryDirectory(prefix="lakehouse-cold-") as name, s3.start_s3(Path(name) / "s3") as store:
        store.client().create_bucket(Bucket=BUCKET)
        yield OutOfPod(directory=Path(name), storage=Storage(endpoint=store.endpoint))


@contextmanager
def in_pod(sides: Sequence[Variant]) -> Iterator[Place]:
    """Give a place in a cluster of its own, with that cluster's S3."""
    cluster = choose("auto", "cold-start")
    cluster.up()
    try:
        for side in sides:
            cluster.load_image(side.image)
        endpoint = cluster.status().s3["east"]
        s3.client(endpoint).create_bucket(Bucket=BUCKET)
        yield InPod(kubeconfig=cluster.kubeconfig, storage=Storage(endpoint=endpoint))
    finally:
        cluster.down(purge=True)


def measure(place: Place, sides: Sequence[Variant]) -> dict[str, Any]:
    """Run the sides in turn; the first round, which warms the page cache, does not count."""
    timings: dict[str, list[Timing]] = {side.name: [] for side in sides}
    for number in range(ROUNDS + 1):
        for side in sides:
            timing = place.run(side, f"{side.name}-{number}")
            say(f"cold-start {place.name}, round {number} of {ROUNDS}, {side.name}: {timing.total:.1f} s")
            if number:
                timings[side.name].append(timing)
    totals = {name: statistics.median(timing.total for timing in found) for name, found in timings.items()}
    return {
        "ours": round(totals["ours"], 2),
        "peer": round(totals["peer"], 2),
        "ratio": round(totals["ours"] / totals["peer"], 3),
        "detail": {"where": place.name, **{name: detail(found) for name, found in timings.items()}},
    }


def detail(timings: Sequence[Timing]) -> dict[str, Any]:
    """Return the median of each step and of the CPU time, and every total."""
    medians = {step: statistics.median(timing.steps[step] for timing in timings) for step in timings[0].steps}
    cpu = [timing.cpu for timing in timings if timing.cpu is not None]
    return {
        "steps": {step: round(seconds, 2) for step, seconds in medians.items()},
        "totals": [round(timing.total, 2) for timing in timings],
        **({"cpu_seconds": round(statistics.median(cpu), 1)} if cpu else {}),
    }


if __name__ == "__main__":
    print(json.dumps(run()))  # noqa: T201 - the result is the output
