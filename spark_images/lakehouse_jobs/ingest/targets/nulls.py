"""Rows that cannot be merged because a key or their place in the sequence is missing: they go to quarantine."""

from dataclasses import replace
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_jobs.contract.writing import pointer
from lakehouse_jobs.ingest.judging import MOST_KINDS, Judged
from lakehouse_jobs.ingest.outcome import BatchOutcome, RefusalCount
from lakehouse_jobs.ingest.tables import REASONS
from lakehouse_jobs.ingest.targets.changes import Changes


def without_nulls(judged: Judged, changes: Changes) -> Judged:
    """Refuse accepted rows that name nothing, or that cannot be put in order."""
    nullable = changes.nullable
    if not nullable:
        return judged
    missing = [F.col("row")[name].isNull() for name, _ in nullable]
    refused = reduce(or_, missing)
    rows, *counts = judged.accepted.agg(F.count_if(refused), *map(F.count_if, missing)).collect()[0]
    if not rows:
        return judged
    found = [
        RefusalCount(path=f"/{pointer(name)}", keyword=reason, rows=count)
        for (name, reason), count in zip(nullable, counts, strict=True)
        if count
    ]
    reasons = F.array_compact(F.array(*(_reason(name, reason) for name, reason in nullable))).cast(REASONS)
    return replace(
        judged,
        accepted=judged.accepted.where(~refused),
        refused=judged.refused.unionByName(_refusals(judged.accepted.where(refused), reasons)),
        outcome=_counted(judged.outcome, rows, found),
    )


def _refusals(rows: DataFrame, reasons: Column) -> DataFrame:
    return rows.select("file", "number", F.to_json("row").alias("text"), reasons.alias("reasons"))


def _reason(name: str, keyword: str) -> Column:
    message = f"{name} is NULL, and a row without it cannot be merged"
    reason = F.struct(
        F.lit(f"/{pointer(name)}").alias("path"), F.lit(keyword).alias("keyword"), F.lit(message).alias("message")
    )
    return F.when(F.col("row")[name].isNull(), reason)


def _counted(outcome: BatchOutcome, rows: int, found: list[RefusalCount]) -> BatchOutcome:
    ranked = sorted((*outcome.refusals, *found), key=lambda each: (-each.rows, each.path, each.keyword))
    update = {
        "rows_written": outcome.rows_written - rows,
        "rows_quarantined": outcome.rows_quarantined + rows,
        "refusals": tuple(ranked[:MOST_KINDS]),
    }
    return outcome.model_copy(update=update)
