"""Rows of JSON text, read and judged in one pass by the image's own class `dev.lakehouse.spark.rows.JsonRows`.

Written as expressions of Spark, as for other formats, the same verdict costs more than to read the text: Spark's reader
hides what the verdict needs (a null from a missing member, a number from its text), and expressions as large as a
contract take seconds to compile.

What the class is told of a contract is made here: its fields, and its rule, which is its schema without annotations and
with Java's regular expressions.
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
from lakehouse_jobs.contract.keywords import FORMATS
from lakehouse_jobs.contract.patterns import to_java
from lakehouse_jobs.contract.schema import Contract


def read_json(spark: SparkSession, text: Column, contract: Contract) -> Column:
    """Read a column of texts in UTF-8: a struct of `ok`, `others`, `lacks` and `row`, as `ingest.rows` describes them.

    `row` is NULL unless `ok`; `others` and `lacks` are NULL where the text is no JSON object.
    """
    names = ArrayType(StringType())
    row = StructType([StructField(field.name, column_type(field)) for field in contract.fields])
    type_ = StructType().add("ok", BooleanType()).add("others", names).add("lacks", names).add("row", row)
    jvm: Any = spark._jvm  # noqa: SLF001 (a class of ours, in Java)
    read = jvm.dev.lakehouse.spark.rows.JsonRows.read(text._jc, _told(contract), type_.json())  # noqa: SLF001 (it takes Java's column)
    return ClassicColumn(read)


def _told(contract: Contract) -> str:
    return json.dumps({"row": _field(contract.root), "rule": _rule(contract.root.schema)})


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
    return {"name": name, "shape": FORMATS.get(name)}


_WRITERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), _rules),
    **dict.fromkeys(("not", "if", "then", "else", "items", "additionalProperties", "contains", "propertyNames"), _rule),
    **dict.fromkeys(("properties", "dependentSchemas"), _rules_by_name),
    "pattern": to_java,
    "format": _format,
}
