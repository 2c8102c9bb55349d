"""Build contexts: which files an image is built from, and a hash of them that names the image."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

IGNORED = frozenset({"__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"})

Context = Mapping[str, Path]
"""Path inside the build context → file or directory on this machine."""


def files(context: Context) -> Iterator[tuple[str, Path]]:
    """Return every file of a context with its path inside it, sorted, without caches and version control."""
    for inside, source in sorted(context.items()):
        for path in sorted(_walk(source)):
            relative = Path(inside, path.relative_to(source)) if path != source else Path(inside)
            yield str(relative), path


def content_hash(context: Context, *, dockerfile: Path, build_args: Mapping[str, str]) -> str:
    """Return a short hash of all that decides what a build makes: instructions, arguments, names, modes and bytes."""
    digest = hashlib.sha256(dockerfile.read_bytes())
    digest.update(repr(sorted(build_args.items())).encode())
    for inside, path in files(context):
        executable = bool(path.stat().st_mode & 0o100)
        digest.update(f"\0{inside}\0{executable}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def stage(context: Context, directory: Path) -> None:
    """Lay the files of a context out in an empty directory, as hard links where the file system allows."""
    for inside, path in files(context):
        target = directory / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)
        except OSError:
            shutil.copy2(path, target)


def _walk(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for child in source.iterdir():
        if child.name not in IGNORED:
            yield from _walk(child)
