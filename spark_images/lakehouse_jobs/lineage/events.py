"""The events of one run: START when it begins, COMPLETE or FAIL when it ends; and FAIL for attempts before it.

An event follows from values alone, and a run's id from its attempt's, so an event that is sent twice says the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_DNS, UUID, uuid5

import pyspark

from lakehouse_api.enforcement import ExpectationResult
from lakehouse_api.lineage import Untold
from lakehouse_api.quarantine import Verb
from lakehouse_api.run import RunResult, RunSpec
from lakehouse_api.sources.files import FilesSource
from lakehouse_api.sources.jdbc import JdbcSource
from lakehouse_jobs.contract.schema import Contract, ContractError, read_contract
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.lineage.datasets import source_dataset, table_dataset
from lakehouse_jobs.lineage.facets import EVENT_SCHEMA, PRODUCER, Document, facet, without_nothing
from lakehouse_jobs.lineage.quality import assertions, failed_assertions
from lakehouse_jobs.lineage.seen import Seen
from lakehouse_jobs.lineage.tables import Tables
from lakehouse_jobs.reporting import place_of

_RUNS: Final = uuid5(NAMESPACE_DNS, "runs.lakehouse.dev")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{5,8}Z")
_LAKEHOUSE: Final = "LAKEHOUSE"


def run_uuid(namespace: str, attempt: str) -> UUID:
    """Give the id of a run of OpenLineage: an attempt, which is named once in its namespace."""
    return uuid5(_RUNS, f"{namespace}/{attempt}")


@dataclass(frozen=True, kw_only=True)
class Events:
    """What a run tells. `namespace` is that of its job. Times are RFC 3339."""

    run: RunSpec
    namespace: str

    def started(self, at: str) -> Document:
        """Tell that the run begins, and what it will read and write."""
        return self._event("START", at, inputs=self._named_inputs(), outputs=self._named_outputs())

    def completed(self, at: str, result: RunResult, batches: Sequence[BatchOutcome], seen: Seen) -> Document:
        """Tell what the run did; without batches there was nothing new."""
        tables = Tables(
            run=self.run, namespace=self.namespace, contract=_contract(self.run), batches=batches, seen=seen
        )
        tended = self._verb not in {None, Verb.REPLAY}
        outputs = self._named_outputs() if tended else tables.outputs()
        return self._event("COMPLETE", at, result, inputs=self._inputs(tables), outputs=outputs)

    def failed(self, at: str, result: RunResult, expectations: Sequence[ExpectationResult] = ()) -> Document:
        """Tell why the run failed, and which expectations it failed by."""
        inputs = self._named_inputs()
        if expectations:
            checked = failed_assertions(self.run.job.expectations, expectations)
            inputs[0] |= {"inputFacets": {"dataQualityAssertions": checked}}
        return self._event("FAIL", at, result, inputs=inputs, outputs=self._named_outputs())

    def untold(self, attempt: Untold) -> Document:
        """Tell how an earlier attempt ended, which could not do it itself."""
        error = _error(attempt.reason, attempt.message)
        tags = _tags(slot=attempt.slot, attempt=str(attempt.attempt), reason=attempt.reason)
        run = {
            "runId": str(run_uuid(self.run.namespace, attempt.id)),
            "facets": {**error, **tags, **_slot(attempt.slot)},
        }
        return self._envelope("FAIL", attempt.ended_at, run, inputs=[], outputs=[])

    # --- run and job -----------------------------------------------------------------------------------------------

    def _event(
        self, kind: str, at: str, result: RunResult | None = None, *, inputs: list[Document], outputs: list[Document]
    ) -> Document:
        error = _error(result.reason, result.message) if result and kind == "FAIL" else {}
        engine = facet("ProcessingEngineRunFacet", name="spark", version=pyspark.__version__)
        contract, backfill = self.run.job.contract, self.run.job.backfill
        tags = _tags(
            slot=self.run.slot,
            attempt=str(self.run.attempt),
            reason=result.reason if result else None,
            contract=f"{contract.name} {contract.version}",
            backfill=backfill.shown if backfill else None,
            report=f"{place_of(self.run)}.json" if result else None,
        )
        facets = {"processing_engine": engine, **tags, **_slot(self.run.slot), **error}
        run = {"runId": str(run_uuid(self.run.namespace, self.run.id)), "facets": facets}
        return self._envelope(kind, at, run, inputs=inputs, outputs=outputs)

    def _envelope(
        self, kind: str, at: str, run: Document, *, inputs: list[Document], outputs: list[Document]
    ) -> Document:
        return {
            "eventType": kind,
            "eventTime": at,
            "run": run,
            "job": {"namespace": self.namespace, "name": self._job, "facets": self._job_facets()},
            "inputs": inputs,
            "outputs": outputs,
            "producer": PRODUCER,
            "schemaURL": EVENT_SCHEMA,
        }

    @property
    def _verb(self) -> Verb | None:
        return self.run.job.quarantine.verb if self.run.job.quarantine else None

    @property
    def _job(self) -> str:
        """Tending the quarantine reads and writes other tables, so it is another job."""
        name = f"{self.run.namespace}.{self.run.kind.lower()}.{self.run.name}"
        return f"{name}.{self._verb}" if self._verb else name

    def _job_facets(self) -> Document:
        owner = self.run.job.contract.schema_.get("x-owner")
        source = self.run.job.source.chosen
        query = source.query if isinstance(source, JdbcSource) and not self._verb else None
        return without_nothing(
            jobType=facet(
                "JobTypeJobFacet", processingType="BATCH", integration=_LAKEHOUSE, jobType=self.run.kind.upper()
            ),
            ownership=facet("OwnershipJobFacet", owners=[{"name": owner, "type": "OWNER"}]) if owner else None,
            sql=facet("SQLJobFacet", query=query, dialect=str(source.dialect)) if query else None,  # type: ignore[union-attr]
        )

    # --- what is read and written ----------------------------------------------------------------------------------

    def _named_inputs(self) -> list[Document]:
        target, job = self.run.job.target, self.run.job
        read = table_dataset(target.quarantine_uri) if self._verb else source_dataset(job.source.chosen)
        return [read.document({}), *([] if self._verb else self._referred())]

    def _named_outputs(self) -> list[Document]:
        target = self.run.job.target
        tables = [uri for uri in (target.uri, target.into_uri) if uri]
        written = {
            None: tables,
            Verb.REPLAY: tables,
            Verb.DISCARD: [target.quarantine_uri],
            Verb.INSPECT: [],
        }
        return [table_dataset(uri).document({}) for uri in written[self._verb]]

    def _referred(self) -> list[Document]:
        """Give the tables that expectations look into."""
        return [table_dataset(uri).document({}) for uri in self.run.job.references.values()]

    def _inputs(self, tables: Tables) -> list[Document]:
        if self._verb not in {None, Verb.REPLAY}:
            return [tables.quarantine_read()]
        read = tables.quarantine_read() if self._verb else source_dataset(self.run.job.source.chosen).document({})
        read |= {"inputFacets": self._read(tables.batches)}
        kept = [tables.kept()] if tables.target.merge and tables.target.into_uri else []
        return [read, *([] if self._verb else self._referred()), *kept]

    def _read(self, batches: Sequence[BatchOutcome]) -> Document:
        files = isinstance(self.run.job.source.chosen, FilesSource) and not self._verb
        statistics = facet(
            "InputStatisticsInputDatasetFacet",
            rowCount=sum(batch.rows_read for batch in batches),
            size=sum(batch.bytes_read for batch in batches) if files else None,
            fileCount=sum(batch.files_read for batch in batches) if files else None,
        )
        if not batches:
            return {"inputStatistics": statistics}
        checked = assertions(self.run.job.contract, self.run.job.expectations, batches)
        return {"inputStatistics": statistics, "dataQualityAssertions": checked}


def _contract(run: RunSpec) -> Contract | None:
    try:
        return read_contract(run.job.contract)
    except ContractError:
        return None


def _error(reason: str, message: str) -> Document:
    return {"errorMessage": facet("ErrorMessageRunFacet", message=f"{reason}: {message}", programmingLanguage="PYTHON")}


def _tags(**tags: str | None) -> Document:
    found = [{"key": key, "value": value, "source": _LAKEHOUSE} for key, value in tags.items() if value is not None]
    return {"tags": facet("TagsRunFacet", tags=found)}


def _slot(slot: str) -> Document:
    """Give when the run was due; a slot that a person asked for has no such time."""
    return {"nominalTime": facet("NominalTimeRunFacet", nominalStartTime=slot)} if _INSTANT.fullmatch(slot) else {}
