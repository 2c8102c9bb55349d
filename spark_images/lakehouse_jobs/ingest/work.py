"""What one batch reads, frozen in its plan before anything is read: one kind of document per way of reading."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from lakehouse_api.model import Model
from lakehouse_api.quarantine import RowFilter


class PlannedFile(Model):
    """One version of one file; `modified` counts milliseconds since 1970."""

    uri: str
    size: int
    modified: int
    etag: str


class FileGroup(Model):
    """Files that can be read together: for CSV those with the same header, in the same order."""

    columns: tuple[str, ...] = ()
    files: list[PlannedFile]


class FilesWork(Model):
    """Files of an object store, in the versions they had when the batch was planned."""

    kind: Literal["files"] = "files"
    groups: list[FileGroup]
    rewritten: Annotated[tuple[str, ...], Field(description="Files read before in another version.")] = ()
    summary: Annotated[dict[str, str] | None, Field(description="Etag by file, of all files read before.")] = None

    @property
    def files(self) -> list[PlannedFile]:
        """Give the files of all groups."""
        return [file for group in self.groups for file in group.files]

    @property
    def complete(self) -> bool:
        """Tell whether this document alone says all that earlier batches read."""
        return self.summary is not None

    @property
    def newest_input(self) -> str | None:
        """Give the time of the newest file."""
        return moment(max(file.modified for file in self.files))

    @property
    def size(self) -> str:
        """Say how much is to be read."""
        return f"{len(self.files)} files"


class WindowWork(Model):
    """Rows whose cursor lies above `after` and not above `until`; without a cursor the whole source.

    Both are the cursor's values as text, in the form the source takes them; `after` is absent in the first batch. A
    backfill reads from `first`, which belongs to it, up to `end`, which does not; or up to `until`, if that is less.
    """

    kind: Literal["window"] = "window"
    cursor: str | None = None
    after: str | None = None
    until: str | None = None
    first: str | None = None
    end: str | None = None
    watermark: Annotated[
        str | None, Field(description="Where the next batch begins. Of a backfill: what it was before.")
    ] = None
    partitions: Annotated[tuple[str, ...], Field(description="Conditions that split the rows between readers.")] = ()
    newest_input: Annotated[str | None, Field(description="RFC 3339: how new the newest row can be.")] = None

    @property
    def complete(self) -> bool:
        """Tell whether this document alone says all that earlier batches read."""
        return True

    @property
    def size(self) -> str:
        """Say how much is to be read."""
        if self.cursor is None:
            return "everything"
        return f"{self.cursor} from {self.first or self.after or 'the beginning'} to {self.end or self.until}"


class OffsetRange(Model):
    """Messages of one partition from offset `start` up to, not including, `end`."""

    partition: int
    start: int
    end: int

    @property
    def shown(self) -> str:
        """Say it in a sentence."""
        return f"offsets {self.start} to {self.end - 1} of partition {self.partition}"


class OffsetsWork(Model):
    """Messages of one topic. All partitions are named, those without new messages too: the next batch begins there."""

    kind: Literal["offsets"] = "offsets"
    topic: str
    topic_id: Annotated[str | None, Field(description="Kafka's id of the topic: another one is another topic.")] = None
    ranges: list[OffsetRange]
    positions: Annotated[
        dict[int, int] | None, Field(description="Of a backfill: where the next batch begins, by partition.")
    ] = None
    aged: Annotated[
        tuple[OffsetRange, ...], Field(description="Of a backfill: what is gone and may have been of its range.")
    ] = ()
    lost: Annotated[tuple[OffsetRange, ...], Field(description="Gone before they were read, as was accepted.")] = ()
    schemas: Annotated[
        dict[str, tuple[str, ...]],
        Field(
            default_factory=dict,
            description="By id, the Avro schemas that messages name: those referred to first, itself last.",
        ),
    ]
    newest_input: Annotated[str | None, Field(description="RFC 3339: when the newest message was written.")] = None

    @property
    def offsets(self) -> int:
        """Count the offsets; a topic may have none or one message at each."""
        return sum(each.end - each.start for each in self.ranges)

    @property
    def reached(self) -> dict[int, int]:
        """Give where the next batch begins, by partition."""
        return self.positions if self.positions is not None else {each.partition: each.end for each in self.ranges}

    @property
    def filled(self) -> list[OffsetRange]:
        """Give the ranges that are not empty."""
        return [each for each in self.ranges if each.end > each.start]

    @property
    def complete(self) -> bool:
        """Tell whether this document alone says all that earlier batches read."""
        return True

    @property
    def size(self) -> str:
        """Say how much is to be read."""
        return f"{self.offsets} offsets of {len(self.ranges)} partitions"


class QuarantinedBatch(Model):
    """A batch that refused rows, and the run that planned it."""

    run: str
    batch: int


class ReplayWork(Model):
    """Open rows of a table's quarantine. Nothing of the source is read: the next batch begins where it would have."""

    kind: Literal["replay"] = "replay"
    rows: RowFilter
    batches: Annotated[list[QuarantinedBatch], Field(description="Those whose rows are replayed.")]
    newest_input: None = None

    @property
    def complete(self) -> bool:
        """Tell that the plans before this one must be asked what was read."""
        return False

    @property
    def size(self) -> str:
        """Say how much is to be read."""
        return f"quarantined rows of {len(self.batches)} batches"


Work = Annotated[FilesWork | WindowWork | OffsetsWork | ReplayWork, Field(discriminator="kind")]


def moment(milliseconds: int) -> str:
    """Write a time in RFC 3339."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
