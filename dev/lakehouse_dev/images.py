"""Container images: built from a Dockerfile by Docker where an engine answers, else by buildah, named by content.

An unchanged context is not built again: the name is a hash of all that goes into the build.
"""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from lakehouse_dev import contexts, packages, paths
from lakehouse_dev.contexts import Context
from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image
from lakehouse_dev.locks import exclusive
from lakehouse_dev.progress import say

KEPT_BUILDS = 4
"""Builds of one name that stay in the cache: work moves between versions, disks do not grow."""


def build_image(
    name: str,
    *,
    dockerfile: Path,
    context: Context | Path,
    build_args: Mapping[str, str] | None = None,
    usual_duration: str = "seconds",
) -> Image:
    """Build `localhost/<name>:<hash>` unless it exists. Base images are build arguments (`Image.name`)."""
    whole = {".": context} if isinstance(context, Path) else context
    arguments = dict(build_args or {})
    tag = contexts.content_hash(whole, dockerfile=dockerfile, build_args=arguments)
    image = Image(name=f"localhost/{name}:{tag}", layout=paths.cache_file("images", "layout"))
    if image.exists():
        return image
    with exclusive(paths.cache_file("locks", "images"), what=f"image {name}"):
        if not image.exists():
            say(f"image {name}: building {image.name} ({usual_duration})")
            _build(image, whole, dockerfile, arguments)
            _forget(image.drop_older(keep=KEPT_BUILDS))
            say(f"image {name}: built, {image.size() / 1e6:.0f} MB unpacked")
    return image


@cache
def docker_answers() -> bool:
    """Tell whether a Docker engine answers here."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20).returncode == 0


def _build(image: Image, context: Context, dockerfile: Path, arguments: Mapping[str, str]) -> None:
    build = _build_with_docker if docker_answers() else _build_with_buildah
    with tempfile.TemporaryDirectory(dir=image.layout.parent, prefix=".context-") as scratch:
        contexts.stage(context, Path(scratch))
        options = [f"--build-arg={key}={value}" for key, value in arguments.items()]
        build(image, ["--file", str(dockerfile.resolve()), *options, "--tag", image.name, scratch])


def _forget(names: Sequence[str]) -> None:
    """Remove builds from the builder's own storage too; one that is the base of another, or in use, stays."""
    for name in names:
        with contextlib.suppress(DevError):
            if docker_answers():
                _run(["docker", "image", "rm", name], what=name)
            else:
                _buildah("rmi", name, what=name)


def _build_with_docker(image: Image, arguments: Sequence[str]) -> None:
    """Build with Docker and take over what `docker save` of Docker 25 and later writes, an OCI layout."""
    _run(["docker", "build", *arguments], what=image.name)
    with tempfile.TemporaryDirectory(dir=image.layout.parent, prefix=".save-") as scratch:
        blobs = Path(scratch) / "blobs" / "sha256"
        _run(["docker", "save", "--output", f"{scratch}/image.tar", image.name], what=image.name)
        _run(["tar", "--extract", "--directory", scratch, "--file", f"{scratch}/image.tar"], what=image.name)
        manifest = json.loads((Path(scratch) / "index.json").read_bytes())["manifests"][0]["digest"]
        image.adopt(blobs / manifest.removeprefix("sha256:"), blobs)


def _build_with_buildah(image: Image, arguments: Sequence[str]) -> None:
    packages.require("buildah")
    _buildah("build", "--layers", "--isolation=chroot", "--format=oci", *arguments, what=image.name)
    with tempfile.TemporaryDirectory(dir=image.layout.parent, prefix=".push-") as scratch:
        # `dir:` is the one target that keeps layers uncompressed, which makes loading them three times as fast.
        _buildah("push", "--quiet", "--disable-compression", image.name, f"dir:{scratch}", what=image.name)
        image.adopt(Path(scratch) / "manifest.json", Path(scratch))


def _buildah(command: str, *arguments: str, what: str) -> None:
    store = paths.cache_file("images", "buildah")
    place = [f"--root={store / 'root'}", f"--runroot={store / 'run'}", "--storage-driver=overlay"]
    # In a mount namespace of its own, so that nothing it mounts can stay.
    _run(["unshare", "--mount", "nice", "buildah", *place, command, *arguments], what=what)


def _run(command: Sequence[str], *, what: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise DevError(f"{what}: `{' '.join(command[:6])} …` failed (exit {done.returncode}):\n{done.stdout[-4000:]}")
