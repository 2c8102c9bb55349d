"""What every kind of dev cluster can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lakehouse_dev.image_store import Image


@dataclass(frozen=True, kw_only=True)
class Status:
    """One look at a cluster; `s3` maps each region to its endpoint as seen from this machine."""

    name: str
    provider: str
    running: bool
    node_ready: bool = False
    server: str = ""
    kubeconfig: Path | None = None
    s3: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()


class Provider(Protocol):
    """A cluster by name. `up` and `down` may be called in any state and leave the one they name."""

    @property
    def name(self) -> str:
        """Return the cluster's name."""

    @property
    def kubeconfig(self) -> Path:
        """Return where the administrator's kubeconfig is while the cluster runs."""

    def up(self) -> None:
        """Start the cluster unless it runs, and return when its node, DNS and S3 are ready."""

    def down(self, *, purge: bool = False) -> None:
        """End the cluster and remove all of it; with `purge` also the images kept for the next one."""

    def load_image(self, image: Image) -> None:
        """Make an image available to pods under its name."""

    def status(self) -> Status:
        """Return how the cluster is."""
