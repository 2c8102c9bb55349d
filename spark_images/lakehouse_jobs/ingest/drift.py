"""What the source has that the contract does not name, or lacks what it names, and what the policy makes of it.

Where rows come with a header (CSV, Parquet, tables), drift is known before a row is read. Where every row brings its
own names (JSON), a new column is any name that the contract lacks, and a missing one a name that no row of the batch
has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import StringType, StructField, StructType

from lakehouse_api.columns import NOT_IN_COLUMNS
from lakehouse_api.enforceable import RESERVED
from lakehouse_api.enforcement import Drift, MissingColumns, NewColumns, TypeChange
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import JobError, drift_detected
from lakehouse_jobs.ingest.outcome import RefusalCount, shown
from lakehouse_jobs.ingest.tables import REASONS

MOST_NAMES: Final = 100
KEYWORD: Final = "Drift"
"""The keyword of a reason that is the policy's, not the schema's."""


@dataclass(frozen=True, kw_only=True)
class Drifted:
    """The names by which the source differs from the contract, sorted, at most MOST_NAMES of each."""

    new: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @classmethod
    def named(cls, *, new: Iterable[str], missing: Iterable[str]) -> "Drifted":
        """Sort and bound the names: a source may use ids as names."""
        return cls(new=tuple(sorted(set(new))[:MOST_NAMES]), missing=tuple(sorted(set(missing))[:MOST_NAMES]))

    def refuse(self, policy: Drift, place: str) -> None:
        """Raise DriftDetected if the policy wants no batch that differs like this."""
        if self.new and policy.new_columns is NewColumns.FAIL:
            raise drift_detected(
                f"{place} has columns that the contract does not name: {shown(self.new)}. Take them into the contract, "
                "or set contract.drift.newColumns to Evolve, Quarantine or Ignore."
            )
        if self.missing and policy.missing_columns is MissingColumns.FAIL:
            raise drift_detected(
                f"{place} lacks columns of the contract: {shown(self.missing)}. Bring them back, remove them from the "
                "contract, or set contract.drift.missingColumns to Quarantine or Ignore."
            )


def of_headers(headers: Sequence[Sequence[str]], contract: Contract) -> Drifted:
    """Compare headers with the contract."""
    return Drifted.named(
        new=(name for header in headers for name in header if name not in contract.names),
        missing=(name for header in headers for name in contract.names.difference(header)),
    )


def of_rows(rows: DataFrame, contract: Contract, policy: Drift) -> Drifted:
    """Compare rows that bring their own names with the contract; look for missing names only if the policy asks."""
    new = rows.select(F.explode("others").alias("name")).distinct().limit(MOST_NAMES).collect()
    missing: set[str] = set()
    if policy.missing_columns is not MissingColumns.IGNORE:
        missing = _lacking_everywhere(rows, contract)
    return Drifted.named(new=(row.name for row in new), missing=missing)


def _lacking_everywhere(rows: DataFrame, contract: Contract) -> set[str]:
    names = sorted(contract.names)
    counts = rows.agg(F.count("*"), *(F.count_if(F.array_contains("lacks", name)) for name in names)).collect()[0]
    return {name for name, count in zip(names, counts[1:], strict=True) if counts[0] and count == counts[0]}


def keeps_text(policy: Drift) -> Column:
    """Tell which accepted rows are looked at once more, so that their text must be kept."""
    kept = F.lit(False)  # noqa: FBT003 (a literal)
    if policy.new_columns in {NewColumns.QUARANTINE, NewColumns.EVOLVE}:
        kept = kept | (F.size("others") > 0)
    if policy.missing_columns is MissingColumns.QUARANTINE:
        kept = kept | (F.size("lacks") > 0)
    return F.coalesce(kept, F.lit(False))  # noqa: FBT003 (a literal)


def reasons(drifted: Drifted, policy: Drift) -> Column | None:
    """Give the reasons for which the policy refuses a row, from its `others` and `lacks`; None: it refuses none."""
    found: list[Column] = []
    if drifted.new and policy.new_columns is NewColumns.QUARANTINE:
        found.append(_because("others", "the contract has no such column"))
    if drifted.missing and policy.missing_columns is MissingColumns.QUARANTINE:
        lacking = F.array_intersect(F.col("lacks"), F.array(*map(F.lit, drifted.missing)))
        found.append(_because(lacking, "the source lacks this column of the contract"))
    return F.concat(*found) if found else None


def _because(names: Column | str, message: str) -> Column:
    def reason(name: Column) -> Column:
        path = F.concat(F.lit("/"), name)
        return F.struct(path.alias("path"), F.lit(KEYWORD).alias("keyword"), F.lit(message).alias("message"))

    return F.coalesce(F.transform(names, reason), F.array().cast(REASONS))


def added_columns(drifted: Drifted, policy: Drift, contract: Contract) -> tuple[str, ...]:
    """Name the new columns that the table is to have: those whose names can be columns beside the contract's."""
    if policy.new_columns is not NewColumns.EVOLVE:
        return ()
    taken = {name.lower() for name in contract.names}
    return tuple(name for name in drifted.new if _can_be_column(name) and name.lower() not in taken)


def _can_be_column(name: str) -> bool:
    return bool(name) and not NOT_IN_COLUMNS & set(name) and not name.lower().startswith(RESERVED)


def with_columns(row: Column, text: Column, contract: Contract, names: Sequence[str]) -> Column:
    """Add new columns to a row, as text: strings as they are, all else as JSON."""
    if not names:
        return row
    members = F.from_json(text, StructType([StructField(name, StringType()) for name in names]))
    kept = [row[field.name].alias(field.name) for field in contract.fields]
    return F.struct(*kept, *(members[name].alias(name) for name in names))


def widens_types(policy: Drift) -> bool:
    """Tell whether the policy lets a column of the table become wider."""
    return policy.type_change is TypeChange.EVOLVE


def refuse_types(policy: Drift, refusals: Sequence[RefusalCount], place: str) -> None:
    """Raise DriftDetected if the policy wants no batch with values of other types."""
    wrong = [f"{each.path} ({each.rows} rows)" for each in refusals if each.keyword == "type"]
    if wrong and policy.type_change is TypeChange.FAIL:
        raise _types_changed(wrong, place)


def _types_changed(wrong: Sequence[str], place: str) -> JobError:
    return drift_detected(
        f"{place} has values that are not of the contract's type: {shown(wrong)}. Correct the source or the contract, "
        "or set contract.drift.typeChange to Quarantine."
    )
