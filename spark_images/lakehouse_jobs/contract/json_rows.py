"""The native verdict: JSON texts, read and judged in one pass by the image's class `dev.lakehouse.spark.rows.JsonRows`.

What the class is told of a contract is made here: its fields, and its rule, which is its schema without annotations and
with Java's regular expressions. Soundness is the only duty there. A keyword that it does not know, a number beyond
those with which Java and Python surely calculate alike, an ambiguity of the format: each merely leaves the row to the
exact check.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from pyspark.sql import Column, SparkSession
from pyspark.sql.classic.column import Column as ClassicColumn
from pyspark.sql.types import ArrayType, BooleanType, StringType, StructField, StructType

from lakehouse_api.columns import ColumnKind, Field
from lakehouse_api.references import demands_nothing
from lakehouse_jobs.contract.columns import column_type
from lakehouse_jobs.contract.patterns import to_java
from lakehouse_jobs.contract.schema import Contract

_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_SHAPES: Final = {
    "email": "@",
    "idn-email": "@",
    "ipv4": rf"\A{_OCTET}(?:\.{_OCTET}){{3}}\z",
    "uuid": r"\A[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z",
}
"""Of formats, a value of which is surely one. The class itself knows dates and times."""


def read_json(spark: SparkSession, text: Column, contract: Contract, *, cells: bool) -> Column:
    """Read a column of texts in UTF-8: a struct of `ok`, `others`, `lacks` and `row`, as `ingest.rows` describes them.

    `row` is NULL unless `ok`; `others` and `lacks` are NULL where the text is no JSON object. With `cells` every member
    is a CSV cell, whose type the contract decides.
    """
    names = ArrayType(StringType())
    row = StructType([StructField(field.name, column_type(field)) for field in contract.fields])
    type_ = StructType().add("ok", BooleanType()).add("others", names).add("lacks", names).add("row", row)
    jvm: Any = spark._jvm  # noqa: SLF001 (a class of ours, in Java)
    read = jvm.dev.lakehouse.spark.rows.JsonRows.column(text._jc, _told(contract, cells=cells), type_.json())  # noqa: SLF001 (it takes Java's column)
    return ClassicColumn(read)


def _told(contract: Contract, *, cells: bool) -> str:
    return json.dumps({"cells": cells, "row": _field(contract.root), "rule": _rule(contract.root.schema)})


def _field(field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {"name": field.name, "kind": field.kind.value}
    if field.kind is ColumnKind.DECIMAL:
        told["precision"], told["scale"] = field.scale
    if field.element:
        told["element"] = _field(field.element)
    return told | {"members": [_field(each) for each in field.members]}


def _rule(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    return {
        keyword: _WRITERS.get(keyword, _as_it_is)(value)
        for keyword, value in schema.items()
        if not demands_nothing(keyword)
    }


def _as_it_is(value: Any) -> Any:
    return value


def _rules(schemas: list[Any]) -> list[Any]:
    return [_rule(each) for each in schemas]


def _rules_by_name(schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _rule(each) for name, each in schemas.items()}


def _format(name: str) -> dict[str, str | None]:
    return {"name": name, "shape": _SHAPES.get(name)}


_WRITERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), _rules),
    **dict.fromkeys(("not", "if", "then", "else", "items", "additionalProperties", "contains", "propertyNames"), _rule),
    **dict.fromkeys(("properties", "dependentSchemas"), _rules_by_name),
    "pattern": to_java,
    "format": _format,
}
