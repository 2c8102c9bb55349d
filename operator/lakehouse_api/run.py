"""What the operator hands to a job (run.json) and what the job hands back (the termination message)."""

from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from lakehouse_api.backfill import BackfillRange
from lakehouse_api.catalog import CatalogResult, Registration
from lakehouse_api.enforcement import Drift, Expectation, ExpectationResult
from lakehouse_api.incremental import Incremental
from lakehouse_api.ingest_pipeline import Source
from lakehouse_api.lineage import Lineage
from lakehouse_api.model import Model
from lakehouse_api.quarantine import QuarantineRequest
from lakehouse_api.secrets import AwsSecrets
from lakehouse_api.status import Outcome, Time
from lakehouse_api.target import Merge, Overwrite, TargetMode

RESULT_LIMIT = 4096
"""Bytes of a termination message that the kubelet keeps."""


class ExitCode(IntEnum):
    """How a job ends; the result document outranks it. Any other code is tried again."""

    DONE = 0
    SPEC_WRONG = 64
    DATA_REFUSED = 65
    UNAVAILABLE = 75

    @property
    def retried(self) -> bool:
        """Tell whether another attempt could end differently without a change by a person."""
        return self is ExitCode.UNAVAILABLE


class Store(Model):
    """How to reach one bucket. Credentials stay in the environment, under the prefix named here."""

    bucket: str
    endpoint: Annotated[str | None, Field(description="URL of the service; absent: AWS.")] = None
    region: str | None = None
    path_style: bool = False
    credentials_prefix: Annotated[
        str | None,
        Field(
            description="<PREFIX>_ACCESS_KEY_ID and <PREFIX>_SECRET_ACCESS_KEY in the environment; "
            "absent: the identity of the Pod."
        ),
    ] = None


class ContractSnapshot(Model):
    """The contract as it was when the run was created."""

    name: str
    version: Annotated[str, Field(description="The first 12 digits of the schema's SHA-256.")]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class IngestTarget(Model):
    """A logical table and where this environment keeps it."""

    table: str
    uri: str
    quarantine_uri: str
    mode: TargetMode = TargetMode.APPEND
    merge: Merge | None = None
    into_uri: Annotated[str | None, Field(description="Where the table lies that merge.into names.")] = None
    overwrite: Overwrite | None = None
    partition_by: list[str] = []
    properties: dict[str, str] = {}


class IngestJob(Model):
    """One batch of an IngestPipeline."""

    type: Literal["ingest"] = "ingest"
    source: Source
    incremental: Incremental | None = None
    contract: ContractSnapshot
    drift: Drift = Drift()
    expectations: list[Expectation] = []
    references: Annotated[
        dict[str, str], Field(description="Where the tables lie that expectations refer to, by logical name.")
    ] = {}
    target: IngestTarget
    reread: Annotated[
        str | None,
        Field(description="Token of the re-read annotation: files already read are read once more for each token."),
    ] = None
    quarantine: Annotated[
        QuarantineRequest | None,
        Field(description="What to do with quarantined rows; absent: the source is read."),
    ] = None
    backfill: Annotated[
        BackfillRange | None,
        Field(description="What of the source is read once more; absent: what is new."),
    ] = None


class RunSpec(Model):
    """All that a job gets beside Secrets."""

    version: Literal[1] = 1
    id: str
    kind: str
    namespace: str
    name: str
    uid: str
    slot: str
    attempt: int
    report_uri: Annotated[str, Field(description="Folder of the full report and of the tail of the driver's log.")]
    stores: list[Store]
    catalog: Annotated[
        Registration | None, Field(description="What is to be found in the catalogue; absent: nothing.")
    ] = None
    aws_secrets: Annotated[
        AwsSecrets | None, Field(description="What the job reads by itself before it begins; absent: nothing.")
    ] = None
    lineage: Annotated[
        Lineage | None, Field(description="Where the run tells what it reads and writes; absent: nowhere.")
    ] = None
    job: IngestJob

    @property
    def app_id(self) -> str:
        """Give Delta's txnAppId: a re-created resource goes on where the old one was."""
        return f"lakehouse/{self.namespace}/{self.name}"


class TableResult(Model):
    """What a run did to one table."""

    table: str
    version: int | None = None
    rows: int | None = None


class RunResult(Model):
    """What a job says at its end, at most RESULT_LIMIT bytes of JSON."""

    version: Literal[1] = 1
    outcome: Outcome
    reason: Annotated[str, Field(max_length=64, description="CamelCase.")]
    message: Annotated[str, Field(max_length=1024, description="What, where, and what to do. One line.")] = ""
    retry: Annotated[bool, Field(description="Whether the same attempt could succeed later.")] = False
    metrics: dict[str, int | float | str] = {}
    expectations: list[ExpectationResult] = []
    tables: list[TableResult] = []
    catalog: CatalogResult | None = None
    report: str | None = None
    finished_at: Time | None = None
