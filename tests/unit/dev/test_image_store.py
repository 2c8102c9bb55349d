"""Images in an OCI layout: found by name, written whole or only as far as the reader needs."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image


def put(directory: Path, content: bytes) -> dict[str, object]:
    name = hashlib.sha256(content).hexdigest()
    (directory / name).write_bytes(content)
    return {"digest": f"sha256:{name}", "size": len(content)}


def built(layout: Path, pushed: Path, *, name: str, layers: list[bytes]) -> Image:
    pushed.mkdir(exist_ok=True)
    document = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put(pushed, b"{}"),
        "layers": [put(pushed, layer) for layer in layers],
    }
    (pushed / "manifest.json").write_text(json.dumps(document))
    image = Image(name=name, layout=layout)
    image.adopt(pushed / "manifest.json", pushed)
    return image


def names(archive: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return set(tar.getnames())


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return built(tmp_path / "layout", tmp_path / "pushed", name="localhost/a:1", layers=[b"base", b"app"])


def test_an_adopted_image_exists_and_knows_its_size(image: Image) -> None:
    assert image.exists()
    assert image.size() == len(b"base") + len(b"app")


def test_an_image_that_was_not_built_says_so(image: Image) -> None:
    with pytest.raises(DevError, match="holds no image localhost/b:1: build it first"):
        Image(name="localhost/b:1", layout=image.layout).blobs()


def test_images_of_one_layout_share_layers(image: Image, tmp_path: Path) -> None:
    other = built(image.layout, tmp_path / "pushed", name="localhost/a:2", layers=[b"base", b"other"])

    assert image.blobs()[2] == other.blobs()[2]
    assert image.exists()
    assert other.exists()


def test_building_a_name_again_replaces_it(image: Image, tmp_path: Path) -> None:
    built(image.layout, tmp_path / "pushed", name=image.name, layers=[b"base"])

    assert image.size() == len(b"base")
    assert len(json.loads((image.layout / "index.json").read_bytes())["manifests"]) == 1


def test_an_archive_holds_the_image_alone(image: Image, tmp_path: Path) -> None:
    built(image.layout, tmp_path / "pushed", name="localhost/other:1", layers=[b"something else"])
    output = io.BytesIO()

    image.write_archive(output)

    blobs = {str(image.blob_path(blob["digest"]).relative_to(image.layout)) for blob in image.blobs()}
    assert names(output.getvalue()) == {"oci-layout", "index.json", *blobs}


def test_an_archive_leaves_out_the_layers_that_the_reader_has(image: Image) -> None:
    manifest, _, base, _ = (blob["digest"] for blob in image.blobs())
    output = io.BytesIO()

    image.write_archive(output, without={base, manifest})

    written = names(output.getvalue())
    assert str(image.blob_path(base).relative_to(image.layout)) not in written
    assert str(image.blob_path(manifest).relative_to(image.layout)) in written, "without it an archive is no image"


def test_only_the_newest_builds_of_a_name_are_kept_and_other_names_stay(tmp_path: Path) -> None:
    layout, pushed = tmp_path / "layout", tmp_path / "pushed"
    base = built(layout, pushed, name="localhost/base:1", layers=[b"base"])
    builds = [
        built(layout, pushed, name=f"localhost/a:{number}", layers=[b"base", f"app {number}".encode()])
        for number in range(4)
    ]
    old_layer = builds[0].blob_path(builds[0].blobs()[-1]["digest"])

    assert builds[-1].drop_older(keep=2) == ["localhost/a:0", "localhost/a:1"]

    assert not old_layer.exists()
    assert [build.exists() for build in builds] == [False, False, True, True]
    assert base.exists()
    assert all(builds[2].blob_path(blob["digest"]).exists() for blob in builds[2].blobs())


def test_an_image_may_hold_the_same_layer_twice(tmp_path: Path) -> None:
    image = built(tmp_path / "layout", tmp_path / "pushed", name="localhost/a:1", layers=[b"same", b"same"])

    assert image.size() == 2 * len(b"same")
