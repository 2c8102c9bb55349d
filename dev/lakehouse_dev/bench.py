"""`make bench`: run a benchmark of tests/bench by its name, or all, and keep what was measured.

Each one ends with one line of JSON. Running all of them writes docs/benchmarks.md and the table in the README.
"""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from lakehouse_dev import paths
from lakehouse_dev.errors import DevError
from lakehouse_dev.progress import say

BENCHES = paths.REPOSITORY / "tests" / "bench"
README = paths.REPOSITORY / "README.md"
PAGE = paths.REPOSITORY / "docs" / "benchmarks.md"
ALL = "all"
_PLACE = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
_TITLES = {
    "launch": "CPU of one launch; the peer is `spark-submit --deploy-mode cluster`",
    "burst": "500 pipelines created at once",
    "image-size": "Spark image, unpacked; the peer is set up as guides say",
    "contract": "300,000 JSON rows into a table under a contract; the peer has none",
    "cold-start": "A cold job: session, two commits, open and count; the peer is the stock image",
}

Result = Mapping[str, Any]


def names() -> list[str]:
    """Return the names of all benchmarks: the modules of tests/bench that have a `run`."""
    modules = (path for path in sorted(BENCHES.glob("*.py")) if "\ndef run(" in path.read_text())
    return [path.stem.replace("_", "-") for path in modules]


def measure(name: str) -> Result:
    """Run one benchmark in a process of its own and return what it measured."""
    say(f"=== bench {name}")
    command = [sys.executable, "-m", f"tests.bench.{name.replace('-', '_')}"]
    done = subprocess.run(command, cwd=paths.REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise DevError(f"bench {name} failed (exit {done.returncode}); its output is above")
    result: Result = json.loads(lines[-1])
    return result


def table(results: Sequence[Result]) -> str:
    """Return what was measured as a table, ours beside the peer."""
    rows = [row for result in results for row in _rows(result)]
    return "\n".join(["| | Ours | Peer | Ratio |", "|---|---|---|---|", *rows])


def _rows(result: Result) -> Iterator[str]:
    name, unit = str(result["bench"]), str(result["unit"]).removesuffix(" per launch")
    yield _row(_TITLES.get(name, name), result["ours"], result["peer"], unit)
    ours, peer = (result["detail"].get(side) for side in ("ours", "peer"))
    if isinstance(ours, Mapping) and isinstance(peer, Mapping) and "steps" in ours:
        yield from _until_steps(ours["steps"], peer["steps"], unit)


def _until_steps(ours: Mapping[str, float], peer: Mapping[str, float], unit: str) -> Iterator[str]:
    """Yield the time until each step but the last was done."""
    ours_until = peer_until = 0.0
    for step in list(ours)[:-1]:
        ours_until, peer_until = ours_until + ours[step], peer_until + peer[step]
        yield _row(f"... until {step}", round(ours_until, 2), round(peer_until, 2), unit)


def _row(title: str, ours: float, peer: float | None, unit: str) -> str:
    beside = f"{peer} {unit} | {ours / peer:.3g}" if peer else "| "
    return f"| {title} | {ours} {unit} | {beside} |"


def keep(results: Sequence[Result]) -> None:
    """Write the page and the table of the README."""
    where = f"Measured on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}."  # noqa: TID251  # a report of today
    text = f"{table(results)}\n\n{where}"
    README.write_text(_PLACE.sub(lambda found: f"{found[1]}{text}\n{found[2]}", README.read_text()))
    details = [f"## {one['bench']}\n\n```json\n{json.dumps(one, indent=2)}\n```" for one in results]
    PAGE.write_text("\n\n".join(["# Benchmarks", "Written by `make bench`. Medians.", text, *details]) + "\n")
    say(f"wrote {PAGE.relative_to(paths.REPOSITORY)} and the table of {README.name}")


@click.command()
@click.argument("name", default=ALL)
def main(name: str) -> None:
    """Run the benchmark NAME and print its result as one line of JSON; `all` runs every one and keeps the results."""
    known = names()
    if name not in (ALL, *known):
        raise click.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint="BENCH")
    try:
        results = []
        for one in known if name == ALL else [name]:
            results.append(measure(one))
            click.echo(json.dumps(results[-1]))
    except DevError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    if name == ALL:
        keep(results)


if __name__ == "__main__":
    main()
