"""Landing: what a source gave, kept unchanged beside the table until its batch is committed.

A source that may answer otherwise the second time is read once, into a folder of the attempt's own. A marker, created
only if there is none yet, then names the folder that counts: a retry reads what the first finished attempt landed, and
two drivers at once agree on one of them.

    <table>/_ingest/<namespace>/<name>/landed/<batch>/<run>/part-00000.ndjson.gz
    <table>/_ingest/<namespace>/<name>/landed/<batch>.json
"""

from dataclasses import dataclass
from pathlib import Path

from lakehouse_api.model import Model
from lakehouse_jobs.storage import Storage


class Landed(Model):
    """What one attempt landed of a batch: the files in the order in which the source gave them, and their rows."""

    run: str
    files: tuple[str, ...]
    rows: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Landing:
    """The landed batches of one pipeline."""

    storage: Storage
    uri: str

    def folder(self, batch: int, run: str) -> str:
        """Give the folder into which an attempt lands."""
        return f"{self.uri}/{batch}/{run}"

    def put(self, batch: int, run: str, name: str, file: Path) -> str:
        """Upload a local file into the attempt's folder and give its URI."""
        uri = f"{self.folder(batch, run)}/{name}"
        self.storage.upload(uri, file)
        return uri

    def found(self, batch: int) -> Landed | None:
        """Give what was landed of a batch, once an attempt finished landing it."""
        text = self.storage.read(f"{self.uri}/{batch}.json")
        return None if text is None else Landed.model_validate_json(text)

    def finish(self, batch: int, landed: Landed) -> Landed:
        """Mark a batch as landed; if another attempt was faster, what it landed is what counts."""
        settled = self.storage.create(f"{self.uri}/{batch}.json", landed.model_dump_json(by_alias=True, indent=1))
        return Landed.model_validate_json(settled)

    def forget(self, batch: int) -> None:
        """Delete what was landed of a batch that is committed or given up, the marker last."""
        self.storage.remove(f"{self.uri}/{batch}")
        self.storage.remove(f"{self.uri}/{batch}.json")
