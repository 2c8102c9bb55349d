"""How large the Spark image is, unpacked, beside one that is set up as guides say."""

import json
import re
from typing import Any

from lakehouse_dev.image_store import Image
from lakehouse_dev.spark_image import spark_image
from tests.bench.stock import stock_image

ARCHIVE = "class archive"


def run() -> dict[str, Any]:
    """Compare the sizes of all layers, in MB; ours without its class archive is in the detail."""
    ours, peer = spark_image(), stock_image()
    sizes = {"ours": megabytes(ours), "peer": megabytes(peer)}
    return {
        "bench": "image-size",
        **sizes,
        "ratio": round(sizes["ours"] / sizes["peer"], 3),
        "unit": "MB",
        "detail": {
            "ours_layers": layers(ours),
            "peer_layers": layers(peer),
            "ours_without_class_archive": round(sizes["ours"] - class_archive(ours), 1),
        },
    }


def megabytes(image: Image) -> float:
    """Return the size of an image, unpacked."""
    return round(image.size() / 1e6, 1)


def layers(image: Image) -> dict[str, float]:
    """Return the size of each layer that is worth a line, in MB, by the instruction that made it."""
    made = [step for step in history(image) if not step.get("empty_layer")]
    sizes = zip(made, image.blobs()[2:], strict=True)
    return {label(step): round(blob["size"] / 1e6, 1) for step, blob in sizes if blob["size"] > 1e6}


def class_archive(image: Image) -> float:
    """Return the size of the layer with the class archive, in MB."""
    return next(size for name, size in layers(image).items() if "spark.jsa" in name)


def history(image: Image) -> list[dict[str, Any]]:
    """Return the steps of an image's build."""
    configuration = image.blobs()[1]
    steps: list[dict[str, Any]] = json.loads(image.blob_path(configuration["digest"]).read_bytes())["history"]
    return steps


def label(step: dict[str, Any]) -> str:
    """Return what a step did, short."""
    words = " ".join(step["created_by"].split()).removeprefix("/bin/sh -c ").removeprefix("#(nop) ")
    return re.sub(r"(file|dir):\w+ in ", "", words)[:80]


if __name__ == "__main__":
    print(json.dumps(run()))  # noqa: T201 - the result is the output
