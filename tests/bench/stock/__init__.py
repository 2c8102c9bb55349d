"""The peer of the Spark benchmarks: an image as guides describe it."""

from pathlib import Path

from lakehouse_dev import base_images
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image
from lakehouse_dev.spark_image import python_packages
from lakehouse_dev.spark_jars import stock_jars


def stock_image() -> Image:
    """Return the stock image, on the same base as ours, with the same versions."""
    return build_image(
        "lakehouse-stock-spark",
        dockerfile=Path(__file__).with_name("Dockerfile"),
        context={"python": python_packages("jobs"), "jars": stock_jars()},
        build_args={"BASE_IMAGE": base_images.base_image(base_images.SPARK).name},
        usual_duration="about 2 min, 1.5 GB",
    )
