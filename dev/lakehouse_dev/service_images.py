"""Images of the cluster's own services, each one static program on an empty root."""

from pathlib import Path

from lakehouse_dev import paths, s3, tools
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image

DOCKERFILES = paths.REPOSITORY / "dev" / "images"


def pause() -> Image:
    """Return the image that holds the namespaces of every pod."""
    return _single_program("pause", tools.program(tools.PAUSE))


def coredns() -> Image:
    """Return the image of the cluster's DNS server."""
    return _single_program("coredns", tools.program(tools.COREDNS))


def seaweedfs() -> Image:
    """Return the image of the S3 store."""
    return _single_program("seaweedfs", s3.weed(), inside="weed")


def _single_program(name: str, program: Path, *, inside: str = "") -> Image:
    return build_image(name, dockerfile=DOCKERFILES / name / "Dockerfile", context={inside or name: program})
