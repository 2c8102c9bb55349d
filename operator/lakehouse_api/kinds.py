"""The kinds of the API group, one line each."""

from dataclasses import dataclass

from lakehouse_api.data_contract import DataContractSpec, DataContractStatus
from lakehouse_api.ingest_pipeline import IngestPipelineSpec, IngestPipelineStatus
from lakehouse_api.model import Model

GROUP = "lakehouse.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of `kubectl get`; priority 1 shows with -o wide only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind users write, and the names kubectl knows it by."""

    kind: str
    plural: str
    short: str
    spec: type[Model]
    status: type[Model]
    columns: tuple[Column, ...]
    aliases: tuple[str, ...] = ()
    """More short names."""


_READY = Column(name="Ready", path='.status.conditions[?(@.type=="Ready")].status')
_MESSAGE = Column(name="Message", path='.status.conditions[?(@.type=="Ready")].message', priority=1)
_AGE = Column(name="Age", path=".metadata.creationTimestamp", type="date")

INGEST_PIPELINE = Kind(
    kind="IngestPipeline",
    plural="ingestpipelines",
    short="ingest",
    spec=IngestPipelineSpec,
    status=IngestPipelineStatus,
    columns=(
        _READY,
        Column(name="Source", path=".status.source"),
        Column(name="Target", path=".spec.target.table"),
        Column(name="Last Success", path=".status.lastSuccessTime", type="date"),
        Column(name="Rows", path=".status.lastRows", type="integer"),
        Column(name="Quarantined", path=".status.lastQuarantined", type="integer"),
        Column(name="Lag", path=".status.lag"),
        Column(name="Next", path=".status.nextRunTime"),
        Column(name="Backfill", path=".status.backfill.progress", priority=1),
        Column(name="SLA", path='.status.conditions[?(@.type=="SLAMet")].status', priority=1),
        Column(name="Suspended", path=".spec.suspend", type="boolean", priority=1),
        _MESSAGE,
        Column(name="Age", path=".metadata.creationTimestamp", type="date", priority=1),
    ),
)

DATA_CONTRACT = Kind(
    kind="DataContract",
    plural="datacontracts",
    short="contract",
    aliases=("contracts",),
    spec=DataContractSpec,
    status=DataContractStatus,
    columns=(
        _READY,
        Column(name="Version", path=".status.accepted.version"),
        Column(name="Compatible", path='.status.conditions[?(@.type=="Compatible")].status'),
        Column(name="Used By", path=".status.usedBy", type="integer"),
        Column(name="Owner", path=".spec.owner"),
        Column(name="Proposed", path=".status.proposed.version", priority=1),
        _MESSAGE,
        _AGE,
    ),
)

KINDS = (INGEST_PIPELINE, DATA_CONTRACT)
