"""The operator's image: Python, its locked packages, and last our code."""

from lakehouse_dev import base_images, paths
from lakehouse_dev.contexts import Context
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image
from lakehouse_dev.spark_image import python_packages

NAME = "lakehouse-operator"


def operator_image() -> Image:
    """Return the operator's image, built if any of its parts has changed."""
    return build_image(
        NAME,
        dockerfile=paths.REPOSITORY / "Dockerfile",
        context=context(),
        build_args={"BASE_IMAGE": base_images.base_image(base_images.PYTHON).name},
        usual_duration="seconds if only our code changed, else about 30 s",
    )


def context() -> Context:
    """Return every file of the image by its place in the build context."""
    packages = python_packages(None)
    code = paths.REPOSITORY / "operator"
    return {
        **{f"python/{path.name}": path for path in sorted(packages.iterdir()) if path.name != "bin"},
        **{f"lakehouse/{name}": code / name for name in ("lakehouse_api", "lakehouse_operator")},
    }
