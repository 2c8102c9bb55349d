"""The kinds that are reconciled, one line each: how a resource is observed, and who decides."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lakehouse_api.kinds import DATA_CONTRACT, INGEST_PIPELINE, Kind
from lakehouse_operator.core import data_contract, ingest_pipeline
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.plan import Plan, Refusal
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.observe import contract_shown, pipeline_references, see_contract, see_pipeline
from lakehouse_operator.kube.store import Body, Key, References, Shown, Store


def _no_references(_: Body) -> Mapping[Key, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Registration:
    """How one kind is observed and decided; `Seen` is a type of the kind's own, so it is Any here."""

    kind: Kind
    observe: Callable[[Client, Store, Resource], Awaitable[Any]]
    reconcile: Callable[[Resource, Any, datetime, Config], Plan]
    refused: Callable[[Resource, Any, datetime, Config, Refusal], Plan] | None = None
    references: References = _no_references
    """The resources whose changes concern this one, and what they see of it."""
    shown: Shown | None = None
    """What those see of it that refer to it; None: everything."""


REGISTRATIONS: Mapping[str, Registration] = {
    registration.kind.kind: registration
    for registration in (
        Registration(
            kind=INGEST_PIPELINE,
            observe=see_pipeline,
            reconcile=ingest_pipeline.reconcile,
            refused=ingest_pipeline.refused,
            references=pipeline_references,
        ),
        Registration(kind=DATA_CONTRACT, observe=see_contract, reconcile=data_contract.reconcile, shown=contract_shown),
    )
}
