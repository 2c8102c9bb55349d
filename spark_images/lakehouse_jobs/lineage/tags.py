"""What a contract says of its columns beyond their types: the class of personal data, the unit."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from lakehouse_api.columns import Field
from lakehouse_jobs.lineage.facets import Document, facet

_EXTENSIONS: Final = {"x-pii": "pii", "x-unit": "unit"}
_CLASSES: Final = ("none", "low", "high")
_CONTRACT: Final = "CONTRACT"


def column_tags(fields: Iterable[Field]) -> Document | None:
    """Tag columns and those within them, which are named by their path."""
    return _facet([_tag(_EXTENSIONS[key], value, path) for field in fields for path, key, value in _said(field, ())])


def row_tags(fields: Iterable[Field], column: str) -> Document | None:
    """Tag a column that holds whole rows: with the highest class of personal data in them."""
    classes = [value for field in fields for _, key, value in _said(field, ()) if key == "x-pii" and value in _CLASSES]
    return _facet([_tag("pii", max(classes, key=_CLASSES.index), column)] if classes else [])


def _said(field: Field, above: tuple[str, ...]) -> Iterator[tuple[str, str, Any]]:
    path = (*above, field.name)
    yield from ((".".join(path), key, field.schema[key]) for key in _EXTENSIONS if key in field.schema)
    for each in (*field.members, *([field.element] if field.element else [])):
        yield from _said(each, path)


def _tag(key: str, value: Any, field: str) -> Document:
    return {"key": key, "value": str(value), "field": field, "source": _CONTRACT}


def _facet(tags: list[Document]) -> Document | None:
    return facet("TagsDatasetFacet", tags=tags) if tags else None
