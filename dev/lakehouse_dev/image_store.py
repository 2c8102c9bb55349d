"""Images as an OCI layout directory: blobs by digest, so that a changed image shares every layer that did not change.

Loading an image into a node streams only the blobs that the node lacks.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lakehouse_dev.errors import DevError

REFERENCE = "org.opencontainers.image.ref.name"
Descriptor = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Image:
    """One built image in an OCI layout. `name` is whole: `localhost/<name>:<content hash>`."""

    name: str
    layout: Path

    def adopt(self, manifest: Path, blobs: Path) -> None:
        """Move an image into the layout: its manifest, and what that names from a directory of files by hex digest."""
        store = self.layout / "blobs" / "sha256"
        store.mkdir(parents=True, exist_ok=True)
        content = manifest.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        document = json.loads(content)
        for part in {part["digest"] for part in (document["config"], *document["layers"])}:
            hexadecimal = part.removeprefix("sha256:")
            (blobs / hexadecimal).replace(store / hexadecimal)
        (store / digest).write_bytes(content)
        self._add_to_index(
            {
                "mediaType": document["mediaType"],
                "digest": f"sha256:{digest}",
                "size": len(content),
                "annotations": {REFERENCE: self.name},
            }
        )

    def drop_older(self, *, keep: int) -> list[str]:
        """Remove all but the newest `keep` builds of this name, and what only they hold; return what was removed."""
        repository = self.name.rpartition(":")[0]
        builds = [name for name in map(_name_of, self._index()) if name.rpartition(":")[0] == repository]
        dropped = builds[:-keep]
        self._write_index([each for each in self._index() if _name_of(each) not in dropped])
        kept = [Image(name=_name_of(each), layout=self.layout) for each in self._index()]
        used = {image.blob_path(blob["digest"]) for image in kept for blob in image.blobs()}
        for path in (self.layout / "blobs" / "sha256").iterdir():
            if path not in used:
                path.unlink()
        return dropped

    def exists(self) -> bool:
        """Tell whether the layout holds the image."""
        return any(_name_of(entry) == self.name for entry in self._index())

    def blobs(self) -> list[Descriptor]:
        """Return the descriptors of everything the image is made of: manifest, config, layers."""
        manifest = self.manifest()
        document = json.loads(self.blob_path(manifest["digest"]).read_bytes())
        return [manifest, document["config"], *document["layers"]]

    def size(self) -> int:
        """Return the bytes of all layers, which are stored uncompressed: the size of the image unpacked."""
        return sum(blob["size"] for blob in self.blobs()[2:])

    def manifest(self) -> Descriptor:
        """Return the descriptor of the image's manifest."""
        for entry in self._index():
            if _name_of(entry) == self.name:
                return entry
        raise DevError(f"{self.layout} holds no image {self.name}: build it first")

    def write_archive(self, output: IO[bytes], *, without: Collection[str] = ()) -> None:
        """Write an OCI archive (tar) of this image alone, leaving out blobs whose digests the reader has."""
        with tarfile.open(fileobj=output, mode="w|") as archive:
            _add_bytes(archive, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
            _add_bytes(archive, "index.json", json.dumps(_index_document([self.manifest()])).encode())
            for digest in self._missing(without):
                path = self.blob_path(digest)
                archive.add(path, arcname=str(path.relative_to(self.layout)))

    def blob_path(self, digest: str) -> Path:
        """Return the file of one blob."""
        algorithm, _, value = digest.partition(":")
        return self.layout / "blobs" / algorithm / value

    def _missing(self, present: Collection[str]) -> Iterator[str]:
        manifest, *parts = dict.fromkeys(blob["digest"] for blob in self.blobs())
        yield manifest  # small, and what makes an archive an image
        yield from (digest for digest in parts if digest not in present)

    def _add_to_index(self, descriptor: Descriptor) -> None:
        self._write_index([*(each for each in self._index() if _name_of(each) != self.name), descriptor])

    def _write_index(self, manifests: list[Descriptor]) -> None:
        fresh = self.layout / "index.json.new"
        fresh.write_text(json.dumps(_index_document(manifests)))
        fresh.replace(self.layout / "index.json")

    def _index(self) -> list[Descriptor]:
        try:
            manifests: list[Descriptor] = json.loads((self.layout / "index.json").read_bytes())["manifests"]
        except FileNotFoundError:
            return []
        return manifests


def _name_of(entry: Descriptor) -> str:
    return str(entry["annotations"][REFERENCE])


def _index_document(manifests: list[Descriptor]) -> dict[str, Any]:
    return {"schemaVersion": 2, "manifests": manifests}


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
