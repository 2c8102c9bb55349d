"""Many contracts and rows judged in one Spark job, beside what `jsonschema` says of each row."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from referencing.jsonschema import DRAFT202012

from lakehouse_api.run import ContractSnapshot
from lakehouse_jobs.contract.columns import from_text
from lakehouse_jobs.contract.exact import Verdict, judge_cells, judge_json
from lakehouse_jobs.contract.schema import Contract, read_contract
from lakehouse_jobs.ingest.rows import judged_rows, typed_rows


@dataclass(frozen=True, kw_only=True)
class Case:
    """A contract and rows for it: JSON texts, or the cells of CSV rows as JSON objects."""

    schema: Mapping[str, Any]
    rows: Sequence[str]
    cells: bool = False

    @cached_property
    def contract(self) -> Contract:
        version = hashlib.sha256(json.dumps(self.schema).encode()).hexdigest()[:12]
        return read_contract(ContractSnapshot(name="case", version=version, schema_=dict(self.schema)))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One row's two verdicts and the reference's; `same`: both tiers would write the same values."""

    row: str
    schema: Mapping[str, Any]
    native: bool
    exact: Verdict
    valid: bool
    same: bool

    @property
    def accepted(self) -> bool:
        return self.native or not self.exact.reasons

    @property
    def only_unrepresentable(self) -> bool:
        return {reason.keyword for reason in self.exact.reasons} == {"Unrepresentable"}

    @property
    def right(self) -> bool:
        if self.only_unrepresentable:
            return self.valid and not self.native
        if self.native and (self.exact.unnamed or not self.same):
            return False
        return self.accepted == self.valid


def judged(spark: SparkSession, cases: Sequence[Case]) -> list[Judged]:
    """Judge all rows of all cases natively in one job, exactly and by the reference here."""
    exact = [[_exact(case, row) for row in case.rows] for case in cases]
    parts = [_native(spark, case, exact[place]).withColumn("case", F.lit(place)) for place, case in enumerate(cases)]
    found = reduce(DataFrame.union, parts).collect()
    return [_compared(cases[each["case"]], each.number, each.ok, each.same, exact[each["case"]]) for each in found]


def judged_typed(spark: SparkSession, schema: Mapping[str, Any], frame: DataFrame) -> list[Judged]:
    """Judge rows whose columns have types of their own; the instance is the text that is made of each."""
    case = Case(schema=schema, rows=[])
    rows = typed_rows(frame, case.contract, file=F.lit("f"), number=F.lit(1))
    found = rows.select("ok", "text", _text_of(F.col("row")).alias("row")).collect()
    exact = [_exact(case, row.text) for row in found]
    texts = spark.createDataFrame([(verdict.values,) for verdict in exact], "texts array<string>").coalesce(1)
    written = texts.select(_text_of(_proven(case.contract, F.col("texts"))).alias("row")).collect()
    return [
        Judged(
            row=row.text,
            schema=schema,
            native=row.ok,
            exact=verdict,
            valid=_reference(case, row.text),
            same=row.row == other.row,
        )
        for row, verdict, other in zip(found, exact, written, strict=True)
    ]


def wrong(results: Sequence[Judged]) -> list[str]:
    """Describe every row that is not judged as it must be."""
    return [
        f"{each.row[:200]!r}: native {each.native}{'' if each.same else ' and other values'}, exact "
        f"{each.exact.reasons or each.exact.values}, reference {each.valid}; contract {json.dumps(each.schema)[:400]}"
        for each in results
        if not each.right
    ]


def _exact(case: Case, row: str) -> Verdict:
    return judge_cells(case.contract, row) if case.cells else judge_json(case.contract, row)


def _native(spark: SparkSession, case: Case, exact: Sequence[Verdict]) -> DataFrame:
    """Judge natively and compare the values; those of the exact tier travel as the name of the row's file."""
    numbered = [(number, row, json.dumps(exact[number].values)) for number, row in enumerate(case.rows)]
    lines = spark.createDataFrame(numbered, "place bigint, value string, file string").coalesce(1)
    rows = judged_rows(lines, case.contract, flaw=F.lit(None), cells=case.cells)
    proven = _proven(case.contract, F.from_json("file", "array<string>"))
    return rows.select("number", "ok", _text_of(F.col("row")).eqNullSafe(_text_of(proven)).alias("same"))


def _proven(contract: Contract, texts: Column) -> Column:
    fields = enumerate(contract.fields)
    return F.struct(*(from_text(field, F.get(texts, F.lit(place))).alias(field.name) for place, field in fields))


def _text_of(row: Column) -> Column:
    """Write a row as JSON, in which zero has no sign."""
    return F.regexp_replace(F.to_json(row), r"-0\.0(?![0-9])", "0.0")


def _compared(case: Case, number: int, native: bool, same: bool, exact: Sequence[Verdict]) -> Judged:  # noqa: FBT001 (a row's)
    row = case.rows[number]
    return Judged(
        row=row, schema=case.schema, native=native, exact=exact[number], valid=_reference(case, row), same=same
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
    known = REGISTRY.with_resource("", DRAFT202012.create_resource(case.schema)).crawl()
    try:
        return Draft202012Validator(dict(case.schema), format_checker=checker, registry=known).is_valid(instance)
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
