"""IngestPipeline: rows of a source, held to a contract, brought into a Delta table exactly once."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from lakehouse_api.backfill import BackfillStatus
from lakehouse_api.data_contract import JsonSchema
from lakehouse_api.enforcement import Drift, Expectation
from lakehouse_api.incremental import Incremental
from lakehouse_api.model import Model, mapped_by, rules
from lakehouse_api.notify import Notify
from lakehouse_api.schedule import Scheduled
from lakehouse_api.secrets import Credentials
from lakehouse_api.sla import Sla, SlaStatus
from lakehouse_api.sources.files import FilesSource
from lakehouse_api.sources.jdbc import JdbcSource
from lakehouse_api.sources.kafka import KafkaSource
from lakehouse_api.sources.rest import RestSource
from lakehouse_api.spark import Spark
from lakehouse_api.status import RunStatus
from lakehouse_api.target import Target

AnySource = FilesSource | JdbcSource | KafkaSource | RestSource


class Source(Model):
    """Where the rows come from: exactly one kind of source."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "[has(self.files), has(self.jdbc), has(self.kafka), has(self.rest)].filter(each, each).size() == 1",
                "source must name where the rows come from: exactly one of files, jdbc, kafka and rest",
            )
        )
    )

    files: FilesSource | None = None
    jdbc: JdbcSource | None = None
    kafka: KafkaSource | None = None
    rest: RestSource | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"exactly one of {', '.join(type(self).model_fields)} must be set")
        return self

    @property
    def kind(self) -> str:
        """Name the kind: the field that is set."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def chosen(self) -> AnySource:
        """Give the source of that kind."""
        chosen: AnySource = getattr(self, self.kind)
        return chosen

    @property
    def credentials(self) -> Mapping[str, Credentials]:
        """Give, by field, all credentials that it names."""
        chosen = self.chosen
        registry = chosen.schema_registry if isinstance(chosen, KafkaSource) else None
        named = {"credentials": chosen.credentials, "schemaRegistry.credentials": registry and registry.credentials}
        return {field: credentials for field, credentials in named.items() if credentials}

    def without_credentials(self) -> Self:
        """Leave out how the source is reached: other credentials read the same rows."""
        return self.model_copy(update={self.kind: self.chosen.model_copy(update={"credentials": None})})


class Enforcement(Model):
    """The contract a pipeline enforces, a DataContract by name or a schema written in place, and how strictly."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("has(self.ref) != has(self.schema)", "contract needs exactly one of ref (a DataContract) or schema"),
        )
    )

    ref: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    schema_: Annotated[JsonSchema | None, Field(alias="schema")] = None
    drift: Drift = Drift()
    expectations: Annotated[
        list[Expectation],
        Field(max_length=32, json_schema_extra=mapped_by("name")),
    ] = []


class IngestPipelineSpec(Scheduled):
    """What to ingest, under which contract, into which table, and when."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.incremental) || !(has(self.source.files) || has(self.source.kafka))",
                "files and topics are read incrementally as they are: remove spec.incremental",
            ),
        )
    )

    source: Source
    incremental: Annotated[
        Incremental | None, Field(description="Absent: each batch reads the whole source; of files, the new ones.")
    ] = None
    contract: Enforcement
    target: Target
    spark: Spark = Spark()
    sla: Annotated[Sla | None, Field(description="Limits that the operator watches, whether or not a run starts.")] = (
        None
    )
    notify: Notify = []


class IngestPipelineStatus(RunStatus):
    """The status of RunStatus and flat copies for the columns of `kubectl get`."""

    sla: SlaStatus | None = None
    backfill: BackfillStatus | None = None
    source: Annotated[str | None, Field(description="Kind and format of the source.")] = None
    contract_version: Annotated[str | None, Field(description="The contract that the last run enforced.")] = None
    last_rows: Annotated[int | None, Field(description="Rows that the last successful run wrote.")] = None
    last_quarantined: Annotated[int | None, Field(description="Rows that it refused.")] = None
    lag: Annotated[
        str | None, Field(description="How old the newest row's file was when the last successful run ended.")
    ] = None
