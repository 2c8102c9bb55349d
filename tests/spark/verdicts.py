"""Many contracts and rows judged in one Spark job, beside what `jsonschema` says of each row."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.run import ContractSnapshot
from lakehouse_jobs.contract.cells import csv_cells
from lakehouse_jobs.contract.exact import Verdict, judge_cells, judge_json
from lakehouse_jobs.contract.native import accepts
from lakehouse_jobs.contract.schema import Contract, Kind, read_contract
from lakehouse_jobs.ingest.rows import json_text_rows


@dataclass(frozen=True, kw_only=True)
class Case:
    """A contract and rows for it: JSON texts, or the cells of CSV rows as JSON objects."""

    schema: Mapping[str, Any]
    rows: Sequence[str]
    cells: bool = False

    @property
    def contract(self) -> Contract:
        version = hashlib.sha256(json.dumps(self.schema).encode()).hexdigest()[:12]
        return read_contract(ContractSnapshot(name="case", version=version, schema_=dict(self.schema)))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One row's two verdicts and the reference's; `values` as the native tier would write them, by column."""

    row: str
    schema: Mapping[str, Any]
    native: bool
    exact: Verdict
    valid: bool
    values: Sequence[str | None]
    kinds: Sequence[Kind]

    @property
    def accepted(self) -> bool:
        return self.native or not self.exact.reasons

    @property
    def only_unrepresentable(self) -> bool:
        return {reason.keyword for reason in self.exact.reasons} == {"Unrepresentable"}

    @property
    def same_values(self) -> bool:
        pairs = zip(self.kinds, self.values, self.exact.values or [], strict=True)
        return all(_meaning(kind, native) == _meaning(kind, exact) for kind, native, exact in pairs)


def judged(spark: SparkSession, cases: Sequence[Case]) -> list[Judged]:
    """Judge all rows of all cases natively in one job, exactly and by the reference here."""
    parts = [_native(spark, case).select(F.lit(place).alias("case"), "*") for place, case in enumerate(cases)]
    found = reduce(DataFrame.union, parts).collect()
    return [_compared(cases[each["case"]], each.number, each.ok, each["values"]) for each in found]


def wrong(results: Sequence[Judged]) -> list[str]:
    """Describe every row that is not judged as it must be."""
    return [
        f"{each.row[:200]!r}: native {each.native} {[value for value in each.values if value is not None]}, "
        f"exact {each.exact.reasons}, reference {each.valid}; contract {json.dumps(each.schema)[:300]}"
        for each in results
        if (each.accepted != each.valid and not each.only_unrepresentable)
        or (each.only_unrepresentable and (each.native or not each.valid))
        or (each.native and not each.same_values)
    ]


def _native(spark: SparkSession, case: Case) -> DataFrame:
    numbered = list(enumerate(case.rows))
    fields = case.contract.fields
    if case.cells:
        cells = spark.createDataFrame(numbered, "number bigint, text string")
        members = F.from_json("text", "map<string,string>")
        names = sorted({name for row in case.rows for name in json.loads(row)} | case.contract.names)
        texts = {name: F.element_at(members, F.lit(name)) for name in names}
        others = [F.coalesce(texts[name], F.lit("")) == "" for name in names if name not in case.contract.names]
        found = csv_cells(case.contract, texts)
        ok = accepts(case.contract, found, no_others=reduce(Column.__and__, others, F.lit(True)))  # noqa: FBT003 (a literal)
        columns = [found[field.name].column for field in fields]
        return cells.select("number", ok.alias("ok"), _texts(columns).alias("values"))
    lines = spark.createDataFrame(
        [(number, row, "s3a://x") for number, row in numbered], "place bigint, value string, file string"
    )
    rows = json_text_rows(lines, case.contract, flaw=F.lit(None).cast("string"))
    columns = [F.col("row")[field.name] for field in fields]
    return rows.select("number", "ok", _texts(columns).alias("values"))


def _texts(columns: Sequence[Column]) -> Column:
    return F.array(*(column.cast("string") for column in columns))


def _compared(case: Case, number: int, native: bool, values: Sequence[str | None]) -> Judged:  # noqa: FBT001 (a row's)
    row = case.rows[number]
    exact = judge_cells(case.contract, row) if case.cells else judge_json(case.contract, row)
    kinds = [field.kind for field in case.contract.fields]
    return Judged(
        row=row,
        schema=case.schema,
        native=native,
        exact=exact,
        valid=_reference(case, row),
        values=values,
        kinds=kinds,
    )


def _reference(case: Case, row: str) -> bool:
    """Say what the validator says of the instance, made from the row by the rules of the documentation alone."""
    try:
        instance = json.loads(row, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    if case.cells:
        instance = {name: _cell(case.schema, name, text) for name, text in instance.items()}
    checker = Draft202012Validator.FORMAT_CHECKER
    try:
        return Draft202012Validator(dict(case.schema), format_checker=checker, registry=REGISTRY).is_valid(instance)
    except OverflowError:  # it divides 1e400 and stumbles; such a row must be called unrepresentable
        return True


def _cell(schema: Mapping[str, Any], name: str, text: str) -> Any:
    definition = schema["properties"].get(name, {})
    types = definition.get("type", "string") if isinstance(definition, dict) else "string"
    if "string" in types or not {"number", "integer", "boolean"} & set([types] if isinstance(types, str) else types):
        return text
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text
    wanted = bool if isinstance(value, bool) else (int, float)
    fits = "boolean" in types if isinstance(value, bool) else ("number" in types or "integer" in types)
    return value if isinstance(value, wanted) and fits and text == text.strip() else text


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


_MEANINGS: Mapping[Kind, Callable[[str], Any]] = {
    Kind.BIGINT: int,
    Kind.DOUBLE: float,
    Kind.DECIMAL: Decimal,
    Kind.TIMESTAMP: lambda text: datetime.fromisoformat(text if "T" in text else f"{text}+00:00").astimezone(UTC),
}


def _meaning(kind: Kind, text: str | None) -> Any:
    return text if text is None else _MEANINGS.get(kind, str)(text)
