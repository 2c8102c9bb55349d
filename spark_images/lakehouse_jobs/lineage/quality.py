"""What was checked of the rows that were read, and what came out: the contract, each defect, expectations."""

from collections.abc import Sequence

from lakehouse_api.enforcement import Expectation, ExpectationOutcome, ExpectationResult, OnViolation
from lakehouse_api.quantities import format_duration
from lakehouse_api.run import ContractSnapshot
from lakehouse_jobs.ingest.expectations import KEYWORD
from lakehouse_jobs.ingest.outcome import BatchOutcome, RefusalCount
from lakehouse_jobs.lineage.facets import Document, facet, without_nothing

_ERROR, _WARNING = "error", "warn"


def assertions(
    contract: ContractSnapshot, expected: Sequence[Expectation], batches: Sequence[BatchOutcome]
) -> Document:
    """Give the facet of what the batches of a run found; of expectations the last one counts, as in the status."""
    refusals = [each for batch in batches for each in batch.refusals if each.keyword != KEYWORD]
    refused = sum(batch.rows_quarantined for batch in batches)
    results = batches[-1].expectations if batches else ()
    return _facet(
        [
            _of_contract(contract, refused, sum(batch.rows_read for batch in batches)),
            *(_of_refusal(contract, each) for each in refusals),
            *_of_expectations(expected, results),
        ]
    )


def failed_assertions(expected: Sequence[Expectation], results: Sequence[ExpectationResult]) -> Document:
    """Give the facet of the expectations for which a batch was refused as a whole."""
    return _facet(_of_expectations(expected, results))


def _facet(found: list[Document]) -> Document:
    return facet("DataQualityAssertionsDatasetFacet", assertions=found)


def _of_contract(contract: ContractSnapshot, refused: int, read: int) -> Document:
    return {
        "assertion": "contract",
        "name": f"contract {contract.name} {contract.version}",
        "success": not refused,
        "severity": _ERROR,
        "expected": "0 rows refused",
        "actual": f"{refused} of {read} rows refused",
    }


def _of_refusal(contract: ContractSnapshot, refusal: RefusalCount) -> Document:
    """A path is a JSON Pointer; its first part is the column."""
    column = refusal.path.removeprefix("/").partition("/")[0].replace("~1", "/").replace("~0", "~")
    return without_nothing(
        assertion=refusal.keyword,
        name=f"contract {contract.name} {contract.version}: {refusal.path} {refusal.keyword}",
        success=False,
        severity=_ERROR,
        column=column or None,
        expected="0 rows",
        actual=f"{refusal.rows} rows",
    )


def _of_expectations(expected: Sequence[Expectation], results: Sequence[ExpectationResult]) -> list[Document]:
    by_name = {each.name: each for each in expected}
    return [_of_expectation(by_name[each.name], each) for each in results if each.name in by_name]


def _of_expectation(expectation: Expectation, result: ExpectationResult) -> Document:
    kind, column, demand = _demand(expectation)
    sql = expectation.expression
    return without_nothing(
        assertion=kind,
        name=expectation.name,
        success=result.outcome is ExpectationOutcome.MET,
        severity=_WARNING if expectation.on_violation is OnViolation.WARN else _ERROR,
        column=column,
        expected=demand,
        actual=result.found or f"{result.rows or 0} rows violate it",
        content=sql,
        contentType="sql" if sql else None,
    )


def _demand(each: Expectation) -> tuple[str, str | None, str]:
    """Give the kind of a check in the words that others use, its column if there is one, and what is demanded."""
    if each.unique is not None:
        return "unique", _only(each.unique), f"{', '.join(each.unique)} occurs once"
    if each.reference is not None:
        return "relationships", _only(each.reference.columns), f"exists in {each.reference.table}"
    if each.row_count is not None:
        low, high = each.row_count.min, each.row_count.max
        return "row_count", None, f"{low or 0} to {'any number of' if high is None else high} rows"
    if each.max_age is not None:
        return "freshness", each.max_age.column, f"newest at most {format_duration(each.max_age.age)} old"
    if each.null_share is not None:
        return "null_share", each.null_share.column, f"at most {each.null_share.max} without a value"
    return "custom_sql", None, "true or unknown in every row"


def _only(columns: Sequence[str]) -> str | None:
    return columns[0] if len(columns) == 1 else None
