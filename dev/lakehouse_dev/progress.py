"""Progress lines on stderr, so that nobody wonders what a long step is doing; stdout stays for results."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click


def say(message: str) -> None:
    """Print one progress line."""
    click.echo(message, err=True)


@dataclass(kw_only=True)
class Timings:
    """How long each named step took, in seconds, in the order of their ends."""

    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step and say when it is done."""
        started = time.monotonic()
        yield
        self.steps[name] = time.monotonic() - started
        say(f"  {name}: {self.steps[name]:.1f} s")

    def total(self) -> float:
        """Return the sum of all steps in seconds."""
        return sum(self.steps.values())
