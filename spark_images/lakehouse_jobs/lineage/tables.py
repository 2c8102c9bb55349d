"""The tables of a run as an event has them: schema, version, where columns come from, how much was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pyspark.sql.types import DataType, StructField, StructType

from lakehouse_api.columns import Field
from lakehouse_api.enforcement import NewColumns
from lakehouse_api.run import IngestTarget, RunSpec
from lakehouse_api.target import TargetMode
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.ingest.outcome import BatchOutcome
from lakehouse_jobs.ingest.tables import PROVENANCE
from lakehouse_jobs.lineage.columns import (
    as_text,
    column_lineage,
    copied,
    from_text,
    kept_kinds,
    made_of,
    read_from,
)
from lakehouse_jobs.lineage.datasets import Dataset, source_dataset, table_dataset
from lakehouse_jobs.lineage.facets import Document, facet, without_nothing
from lakehouse_jobs.lineage.seen import Seen, TableSeen
from lakehouse_jobs.lineage.tags import column_tags, row_tags

_ROW: Final = "row"
_WHOLE: Final = "the whole row as text"


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What a run that ended well did to its tables. `namespace` is that of the environment's logical names."""

    run: RunSpec
    namespace: str
    contract: Contract | None
    batches: Sequence[BatchOutcome]
    seen: Seen

    @property
    def target(self) -> IngestTarget:
        """Give the target of the run."""
        return self.run.job.target

    @property
    def replays(self) -> bool:
        """Tell whether rows of the quarantine were read, and none of the source."""
        return self.run.job.quarantine is not None

    def outputs(self) -> list[Document]:
        """Give every table that the run wrote, or would have if there had been anything new."""
        merged = [self._merged()] if self.target.merge and self.target.into_uri else []
        quarantined = [] if self.seen.quarantine.version is None else [self._quarantine()]
        return [self._bronze(), *quarantined, *merged]

    def kept(self) -> Document:
        """Give the target as an input: the table that is merged from it is made of nothing else."""
        dataset = table_dataset(self.target.uri)
        return dataset.document(self._state(self.target.table, self.target.uri, self._bronze_state()))

    def quarantine_read(self) -> Document:
        """Give the quarantine as an input."""
        return self._quarantine_dataset.document(self._quarantine_state())

    def _bronze(self) -> Document:
        dataset, state = table_dataset(self.target.uri), self._bronze_state()
        facets = self._state(self.target.table, self.target.uri, state) | self._promised() | self._lifecycle()
        if self.contract:
            facets["columnLineage"] = self._origins(self.contract, state)
        return dataset.document(facets, outputFacets=_written(self._rows_of_target(), state, self.batches))

    def _bronze_state(self) -> TableSeen:
        versions = [batch.table_version for batch in self.batches if batch.table_version is not None]
        return replace(self.seen.target, version=versions[-1]) if versions else self.seen.target

    def _origins(self, contract: Contract, state: TableSeen) -> Document:
        if self.replays:
            return column_lineage(from_text(self._names(contract, state), _ROW, self._quarantine_dataset))
        source = self.run.job.source.chosen
        origin = source_dataset(source)
        return column_lineage(
            read_from(contract.fields, origin, kept_kinds(source)), as_text(self._added(contract, state), origin)
        )

    def _names(self, contract: Contract, state: TableSeen) -> list[str]:
        return [*(field.name for field in contract.fields), *self._added(contract, state)]

    def _added(self, contract: Contract, state: TableSeen) -> list[str]:
        """Name the columns that the policy gave the table because the source has them."""
        if self.run.job.drift.new_columns is not NewColumns.EVOLVE or state.columns is None:
            return []
        known = {name.lower() for name in (*contract.names, *PROVENANCE.names)}
        return [name for name in state.columns.names if name.lower() not in known and not name.startswith("_")]

    def _rows_of_target(self) -> int:
        if self.target.mode is TargetMode.MERGE:
            return _merged_rows(self.batches)
        return sum(batch.rows_written for batch in self.batches)

    def _lifecycle(self) -> Document:
        change = self._change()
        return (
            {"lifecycleStateChange": facet("LifecycleStateChangeDatasetFacet", lifecycleStateChange=change)}
            if change
            else {}
        )

    def _change(self) -> str | None:
        if any(batch.table_version == 0 for batch in self.batches):
            return "CREATE"
        if self.batches and self.target.mode is TargetMode.OVERWRITE and not self.target.overwrite:
            return "OVERWRITE"
        return "ALTER" if any(batch.columns_evolved for batch in self.batches) else None

    @property
    def _quarantine_dataset(self) -> Dataset:
        return table_dataset(self.target.quarantine_uri)

    def _quarantine_state(self) -> Document:
        name = f"{self.target.table}__quarantine"
        return self._state(name, self.target.quarantine_uri, self.seen.quarantine)

    def _quarantine(self) -> Document:
        state = self.seen.quarantine
        facets = self._quarantine_state()
        if self.contract and not self.replays:
            origin = source_dataset(self.run.job.source.chosen)
            names = sorted({*self.contract.names, *(name for batch in self.batches for name in batch.columns_ignored)})
            facets["columnLineage"] = column_lineage(made_of(_ROW, names, origin, _WHOLE))
        if self.contract and (tags := row_tags(self.contract.fields, _ROW)):
            facets["tags"] = tags
        rows = 0 if self.replays else sum(batch.rows_quarantined for batch in self.batches)
        return self._quarantine_dataset.document(facets, outputFacets=_written(rows, state, self.batches))

    def _merged(self) -> Document:
        target = self.target
        versions = [batch.merged_version for batch in self.batches if batch.merged_version is not None]
        state = replace(self.seen.merged, version=versions[-1]) if versions else self.seen.merged
        name = target.merge.into if target.merge and target.merge.into else ""
        facets = self._state(name, target.into_uri or "", state) | self._promised()
        if self.contract and target.merge:
            names = [*self._names(self.contract, self._bronze_state()), *PROVENANCE.names]
            facets["columnLineage"] = copied(names, table_dataset(target.uri), target.merge)
        rows = _merged_rows(self.batches)
        return table_dataset(target.into_uri or "").document(facets, outputFacets=_written(rows, state, self.batches))

    def _state(self, name: str, uri: str, seen: TableSeen) -> Document:
        """Tell the other names of a table, its version and its columns."""
        logical = {"namespace": self.namespace, "name": name, "type": "TABLE"}
        return without_nothing(
            symlinks=facet("SymlinksDatasetFacet", identifiers=[logical, *self._in_catalogue(uri)]),
            storage=facet("StorageDatasetFacet", storageLayer="delta", fileFormat="parquet"),
            version=_version(seen.version),
            schema=_schema(seen.columns, self.contract),
        )

    def _in_catalogue(self, uri: str) -> list[Document]:
        """Name a table as Glue does, if it is known which catalogue that is."""
        glue = self.run.catalog
        if glue is None or not (glue.region and glue.catalog_id):
            return []
        namespace = f"arn:aws:glue:{glue.region}:{glue.catalog_id}"
        names = (f"table/{one.database}/{one.name}" for one in glue.tables if one.uri == uri)
        return [{"namespace": namespace, "name": name, "type": "TABLE"} for name in names]

    def _promised(self) -> Document:
        """Tell whose contract holds for the rows, and what it says of them."""
        schema = self.run.job.contract.schema_
        owner, text = schema.get("x-owner"), schema.get("description") or schema.get("title")
        return without_nothing(
            ownership=facet("OwnershipDatasetFacet", owners=[{"name": owner, "type": "OWNER"}]) if owner else None,
            documentation=facet("DocumentationDatasetFacet", description=text) if text else None,
            tags=column_tags(self.contract.fields) if self.contract else None,
        )


def _merged_rows(batches: Sequence[BatchOutcome]) -> int:
    return sum((batch.rows_inserted or 0) + (batch.rows_updated or 0) for batch in batches)


def _written(rows: int, seen: TableSeen, batches: Sequence[BatchOutcome]) -> Document:
    size, files = (seen.size, seen.files) if batches else (0, 0)
    return {"outputStatistics": facet("OutputStatisticsOutputDatasetFacet", rowCount=rows, size=size, fileCount=files)}


def _version(version: int | None) -> Document | None:
    return None if version is None else facet("DatasetVersionDatasetFacet", datasetVersion=str(version))


def _schema(columns: StructType | None, contract: Contract | None) -> Document | None:
    if columns is None:
        return None
    told = {field.name: field for field in contract.fields} if contract else {}
    return facet("SchemaDatasetFacet", fields=[_column(each, told.get(each.name)) for each in columns])


def _column(column: StructField, field: Field | None) -> Document:
    members = {each.name: each for each in field.members} if field else {}
    within = _inner(column.dataType, members)
    return without_nothing(
        name=column.name,
        type="struct" if within else column.dataType.simpleString(),
        description=field.schema.get("description") if field else None,
        fields=within,
    )


def _inner(kind: DataType, members: Mapping[str, Field]) -> list[Any] | None:
    return [_column(each, members.get(each.name)) for each in kind] if isinstance(kind, StructType) else None
