"""Facets by OpenLineage's schemas. What is put into an event goes through here, so that each names its schema."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

PRODUCER: Final = "https://lakehouse.dev/lakehouse-operator"
SPEC: Final = "https://openlineage.io/spec"
EVENT_SCHEMA: Final = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
VERSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ColumnLineageDatasetFacet": "1-2-0",
        "DataQualityAssertionsDatasetFacet": "1-1-0",
        "DatasetTypeDatasetFacet": "1-0-1",
        "DatasetVersionDatasetFacet": "1-0-1",
        "DocumentationDatasetFacet": "1-1-0",
        "ErrorMessageRunFacet": "1-0-1",
        "InputStatisticsInputDatasetFacet": "1-0-0",
        "JobTypeJobFacet": "2-0-4",
        "LifecycleStateChangeDatasetFacet": "1-0-1",
        "NominalTimeRunFacet": "1-0-1",
        "OutputStatisticsOutputDatasetFacet": "1-0-2",
        "OwnershipDatasetFacet": "1-0-1",
        "OwnershipJobFacet": "1-0-1",
        "ProcessingEngineRunFacet": "1-1-1",
        "SQLJobFacet": "1-1-0",
        "SchemaDatasetFacet": "1-2-0",
        "StorageDatasetFacet": "1-0-1",
        "SymlinksDatasetFacet": "1-0-1",
        "TagsDatasetFacet": "1-0-0",
        "TagsRunFacet": "1-0-0",
    }
)
"""Version of each facet's schema."""
Document = dict[str, Any]


def facet(name: str, /, **content: Any) -> Document:
    """Give a facet of a schema; content that is None is left out."""
    schema = f"{SPEC}/facets/{VERSIONS[name]}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": schema, **without_nothing(**content)}


def without_nothing(**members: Any) -> Document:
    """Give a document of what is not None."""
    return {name: value for name, value in members.items() if value is not None}
