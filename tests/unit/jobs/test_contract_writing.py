"""What the exact verdict writes for columns within columns, and what it says cannot be kept."""

from typing import Any

import pytest

from lakehouse_api.run import ContractSnapshot
from lakehouse_jobs.contract.exact import Verdict, judge_json
from lakehouse_jobs.contract.schema import read_contract

ITEM = {
    "type": "object",
    "properties": {
        "at": {"type": "string", "format": "date-time"},
        "price": {"type": "number", "x-spark-type": "decimal(6,2)"},
        "count": {"type": "integer"},
        "free": {},
    },
}
SCHEMA = {
    "properties": {
        "items": {"type": "array", "items": ITEM},
        "notes": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        "local": {"type": "string", "x-spark-type": "timestamp_ntz"},
    }
}


def judged(text: str, schema: dict[str, Any] = SCHEMA) -> Verdict:
    return judge_json(read_contract(ContractSnapshot(name="c", version="v", schema_=schema)), text)


def test_a_column_within_a_column_is_written_as_text_that_no_reader_rounds() -> None:
    item = '{"at": "2020-01-01T01:00:00+01:00", "price": 0.10, "count": 1.0, "free": [1]}'

    verdict = judged(f'{{"items": [{item}, {{}}], "notes": {{"é": null}}}}')

    assert verdict.values == [
        '[{"at":"2020-01-01T00:00:00+00:00","price":"0.10","count":1,"free":"[1]"},{}]',
        '{"é":null}',
        None,
    ]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ('{"items": [{}, {"price": 0.123}]}', "/items/1/price"),
        ('{"items": [{"price": 0.10000000000000000001}]}', "/items/0/price"),
        ('{"items": [{"count": 9223372036854775808}]}', "/items/0/count"),
        ('{"items": [{"at": "2020-01-01T00:00:00.1234567Z"}]}', "/items/0/at"),
        ('{"notes": {"a/b": "\\ud800"}}', "/notes/a~1b"),
        ('{"local": "2020-01-01T00:00:00Z"}', "/local"),
    ],
)
def test_a_value_within_a_column_that_does_not_fit_is_told_by_its_place(row: str, path: str) -> None:
    assert [(reason.path, reason.keyword) for reason in judged(row).reasons] == [(path, "Unrepresentable")]


def test_members_within_columns_that_the_contract_does_not_name_are_told() -> None:
    verdict = judged('{"items": [{"new": 1}, {"new": 2, "price": 1}], "top": {"is": "told by the reader"}}')

    assert verdict.unnamed == ["/items/*/new"]
    assert not verdict.reasons


def test_a_contract_that_refers_to_itself_without_end_refuses_rows_instead_of_ending_the_job() -> None:
    loop = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "properties": {"v": {"$ref": "#/$defs/a"}}}

    assert [reason.keyword for reason in judged('{"v": 1}', loop).reasons] == ["Unrepresentable"]
