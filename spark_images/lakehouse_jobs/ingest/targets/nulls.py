"""Rows that cannot be merged because a key or their place in the sequence is missing: they go to quarantine."""

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Final

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import BooleanType, NumericType, StructType

from lakehouse_jobs.contract.writing import pointer
from lakehouse_jobs.ingest.judging import MOST_KINDS, Judged
from lakehouse_jobs.ingest.outcome import BatchOutcome, RefusalCount
from lakehouse_jobs.ingest.tables import REASONS
from lakehouse_jobs.ingest.targets.changes import Changes

_NO_TEXTS: Final = (NumericType, BooleanType)


def without_nulls(judged: Judged, changes: Changes, *, cells: bool) -> Judged:
    """Refuse accepted rows that name nothing, or that cannot be put in order.

    `cells`: the members of a row's text are CSV cells, so a refused row is written as such.
    """
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
        refused=judged.refused.unionByName(
            judged.accepted.where(refused).select(
                "file", "number", _text(judged.columns, cells=cells).alias("text"), reasons.alias("reasons")
            )
        ),
        outcome=_counted(judged.outcome, rows, found),
    )


def _text(columns: StructType, *, cells: bool) -> Column:
    if not cells:
        return F.to_json("row")
    members = (F.col("row")[each.name].alias(each.name) for each in columns)
    texts = (
        member.cast("string").alias(each.name) if isinstance(each.dataType, _NO_TEXTS) else member
        for member, each in zip(members, columns, strict=True)
    )
    return F.to_json(F.struct(*texts))


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
