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
        for part in (document["config"], *document["layers"]):
            hexadecimal = part["digest"].removeprefix("sha256:")
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

    def exists(self) -> bool:
        """Tell whether the layout holds the image."""
        return any(entry["annotations"][REFERENCE] == self.name for entry in self._index())

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
            if entry["annotations"][REFERENCE] == self.name:
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
        manifests = [each for each in self._index() if each["annotations"][REFERENCE] != self.name]
        fresh = self.layout / "index.json.new"
        fresh.write_text(json.dumps(_index_document([*manifests, descriptor])))
        fresh.replace(self.layout / "index.json")

    def _index(self) -> list[Descriptor]:
        try:
            manifests: list[Descriptor] = json.loads((self.layout / "index.json").read_bytes())["manifests"]
        except FileNotFoundError:
            return []
        return manifests


def _index_document(manifests: list[Descriptor]) -> dict[str, Any]:
    return {"schemaVersion": 2, "manifests": manifests}


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
