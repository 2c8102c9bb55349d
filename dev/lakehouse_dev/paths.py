"""Where the development tools keep what they build: one cache directory of the user, safe to delete as a whole."""

import os
from pathlib import Path

APP = "lakehouse-operator"
REPOSITORY = Path(__file__).resolve().parents[2]


def cache_directory() -> Path:
    """Return `$XDG_CACHE_HOME/lakehouse-operator` or `~/.cache/lakehouse-operator`, made if missing."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    directory = Path(root) / APP
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def cache_file(*parts: str) -> Path:
    """Return a path below the cache directory whose parent exists."""
    path = cache_directory().joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
