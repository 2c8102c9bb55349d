"""A topic of one test on a real broker, and the runs that read it into the tables of a lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lakehouse_api.run import RunSpec
from lakehouse_dev.kafka import Kafka
from lakehouse_jobs.ingest.job import Ended, ingest
from tests.spark.lake import NOW, PEOPLE, Lake


@dataclass(frozen=True, kw_only=True)
class Stream:
    broker: Kafka
    lake: Lake
    topic: str

    def send(self, *values: bytes | str | None, partition: int = 0, key: bytes | str | None = None) -> None:
        self.broker.send(self.topic, *values, partition=partition, key=key)

    def source(self, **kafka: Any) -> dict[str, Any]:
        return {"kafka": {"bootstrapServers": self.broker.plain.address, "topic": self.topic, "format": "json"} | kafka}

    def spec(
        self,
        slot: str = "1",
        attempt: int = 1,
        *,
        kafka: Mapping[str, Any] | None = None,
        contract: Mapping[str, Any] = PEOPLE,
        **changes: Any,
    ) -> RunSpec:
        document = self.lake.document(slot, attempt, contract=contract, **changes)
        document["job"]["source"] = self.source(**(kafka or {}))
        return RunSpec.model_validate(document)

    def ingest(self, slot: str = "1", attempt: int = 1, **changes: Any) -> Ended:
        return ingest(self.lake.spark, self.spec(slot, attempt, **changes), NOW)

    def read(self) -> list[tuple[int, str, int]]:
        """Give id, partition and offset of each row, sorted."""
        rows = self.lake.rows("id", "_ingest_file", "_ingest_row")
        return [(number, file.removeprefix(f"{self.topic}/"), offset) for number, file, offset in rows]

    def refused(self) -> list[tuple[str, list[str]]]:
        """Give the quarantined rows with the keywords of their reasons, sorted."""
        return [(row, [keyword for _, keyword in reasons]) for row, reasons in self.lake.refused()]

    def plan(self, batch: int) -> Any:
        return self.lake.read(f"bronze/people/_ingest/crm/people/{batch}.json")["work"]

    def ranges(self, batch: int) -> Sequence[tuple[int, int]]:
        return [(each["start"], each["end"]) for each in self.plan(batch)["ranges"]]
