"""The source changes its shape: each change, under each policy, is acted upon as said and told in the result."""

import json
from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from tests.spark.lake import Lake, lines

pytestmark = pytest.mark.spark

CONTRACT: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": "string"},
        "kind": {"type": "string", "enum": ["a", "b"]},
    },
}


def ndjson(*rows: dict[str, Any]) -> str:
    return lines(*(json.dumps(row) for row in rows))


def refused_as(lake: Lake, reason: str, code: ExitCode, **changes: Any) -> str:
    with pytest.raises(JobError) as caught:
        lake.ingest(contract=CONTRACT, **changes)
    assert (caught.value.reason, caught.value.code) == (reason, code)
    assert not [key for key in lake.keys("") if "_delta_log" in key], "nothing is committed"
    return caught.value.message


@pytest.mark.parametrize("text", [True, False], ids=["csv", "ndjson"])
def test_a_new_column_is_ignored_and_named_unless_the_pipeline_says_otherwise(lake: Lake, *, text: bool) -> None:
    lake.put({"a": lines("id,name,kind,size", "1,Ada,a,9") if text else ndjson({"id": 1, "name": "Ada", "size": 9})})

    ended = lake.ingest(contract=CONTRACT, source={"format": "csv" if text else "ndjson"})

    assert ended.result.metrics["columnsIgnored"] == "size"
    assert "size" not in lake.table().columns


def test_a_new_column_fails_the_run_before_a_row_is_read(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name,kind,size", "1,Ada,a,9")})

    message = refused_as(lake, "DriftDetected", ExitCode.DATA_REFUSED, drift={"newColumns": "Fail"})

    assert "size" in message
    assert "contract.drift.newColumns" in message


def test_a_new_member_of_json_fails_the_run(lake: Lake) -> None:
    lake.put({"a": ndjson({"id": 1, "name": "Ada"}, {"id": 2, "size": None})})

    message = refused_as(
        lake, "DriftDetected", ExitCode.DATA_REFUSED, drift={"newColumns": "Fail"}, source={"format": "ndjson"}
    )

    assert "size" in message


def test_rows_with_a_value_in_a_new_column_are_quarantined(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name,kind,size", "1,Ada,a,9", "2,Bob,a,", "x,Cy,a,1")})

    ended = lake.ingest(contract=CONTRACT, drift={"newColumns": "Quarantine"})

    assert ended.result.metrics["rowsQuarantined"] == 2
    assert lake.rows("id") == [2]
    assert [reasons for _, reasons in lake.refused()] == [[("/size", "Drift")], [("/id", "type")]]
    assert json.loads(lake.refused()[0][0]) == {"id": "1", "name": "Ada", "kind": "a", "size": "9"}


def test_new_columns_of_the_first_batch_are_told_like_those_of_any_other(lake: Lake) -> None:
    lake.put({"a": ndjson({"id": 1, "size": 1.5})})

    ended = lake.ingest(contract=CONTRACT, source={"format": "ndjson"}, drift={"newColumns": "Evolve"})

    assert ended.result.metrics["columnsEvolved"] == "size string added"
    assert lake.rows("id", "size") == [(1, "1.5")]


def test_new_columns_are_added_to_the_table_as_text_and_stay(lake: Lake) -> None:
    lake.put({"a": ndjson({"id": 1, "name": "Ada"})})
    lake.ingest(contract=CONTRACT, slot="1", source={"format": "ndjson"})
    lake.put({"b": ndjson({"id": 2, "size": 1.5, "tags": ["x"]}, {"id": 3, "size": "L"}, {"id": "x", "size": 1})})

    ended = lake.ingest(contract=CONTRACT, slot="2", source={"format": "ndjson"}, drift={"newColumns": "Evolve"})
    lake.put({"c": ndjson({"id": 4, "name": "Di"})})
    last = lake.ingest(contract=CONTRACT, slot="3", source={"format": "ndjson"}, drift={"newColumns": "Evolve"})

    assert ended.result.metrics["columnsEvolved"] == "size string added, tags string added"
    assert "columnsIgnored" not in ended.result.metrics
    assert "columnsEvolved" not in last.result.metrics
    found = {row.id: (row.size, row.tags) for row in lake.table().collect()}
    assert found == {1: (None, None), 2: ("1.5", '["x"]'), 3: ("L", None), 4: (None, None)}
    history = lake.spark.sql(f"DESCRIBE HISTORY delta.`{lake.uri('bronze/people').replace('s3://', 's3a://')}`")
    added = history.where("operation = 'ADD COLUMNS'").collect()
    assert [row.userMetadata.split(":")[0].split()[:2] for row in added] == [["contract", "people"]]


def test_a_new_column_that_cannot_be_one_is_ignored_and_named(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name,kind,shoe size,NAME", "1,Ada,a,9,ADA")})

    ended = lake.ingest(contract=CONTRACT, drift={"newColumns": "Evolve"})

    assert ended.result.metrics["columnsIgnored"] == "NAME, shoe size"


def test_a_renamed_column_is_a_missing_and_a_new_one(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,full_name,kind", "1,Ada,a")})

    ended = lake.ingest(contract=CONTRACT, drift={"newColumns": "Evolve"})

    assert (ended.batches[0].columns_missing, lake.rows("name", "full_name")) == (("name",), [(None, "Ada")])


def test_a_missing_column_fails_the_run(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,kind", "1,a"), "b.csv": lines("id,name,kind", "2,Bob,a")})

    message = refused_as(lake, "DriftDetected", ExitCode.DATA_REFUSED, drift={"missingColumns": "Fail"})

    assert "name" in message


def test_rows_that_lack_a_missing_column_are_quarantined(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,kind", "1,a"), "b.csv": lines("id,name,kind", "2,Bob,a")})

    lake.ingest(contract=CONTRACT, drift={"missingColumns": "Quarantine"})

    assert lake.rows("id") == [2]
    assert [reasons for _, reasons in lake.refused()] == [[("/name", "Drift")]]


def test_in_json_a_column_is_missing_when_no_row_of_the_batch_has_it(lake: Lake) -> None:
    policy = {"missingColumns": "Fail"}
    lake.put({"a": ndjson({"id": 1, "name": "Ada", "kind": "a"}, {"id": 2})})
    lake.ingest(contract=CONTRACT, slot="1", source={"format": "ndjson"}, drift=policy)
    lake.put({"b": ndjson({"id": 3, "kind": "a"}, {"id": 4, "kind": "b"})})

    with pytest.raises(JobError, match=r"DriftDetected.*lacks columns of the contract: name"):
        lake.ingest(contract=CONTRACT, slot="2", source={"format": "ndjson"}, drift=policy)

    assert lake.rows("id") == [1, 2]


def test_a_changed_type_is_quarantined_row_by_row_or_fails_the_run(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name,kind", "1,Ada,a", "one,Bob,a")})

    message = refused_as(lake, "DriftDetected", ExitCode.DATA_REFUSED, drift={"typeChange": "Fail"})
    lake.ingest(contract=CONTRACT, drift={"typeChange": "Quarantine"})

    assert "/id (1 rows)" in message
    assert lake.refused() == [('{"id":"one","name":"Bob","kind":"a"}', [("/id", "type")])]


def test_a_grown_enum_is_quarantined_until_the_contract_takes_it(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name,kind", "1,Ada,c")})
    lake.ingest(contract=CONTRACT, slot="1", drift={"typeChange": "Fail"})
    grown = {**CONTRACT, "properties": {**CONTRACT["properties"], "kind": {"type": "string", "enum": ["a", "b", "c"]}}}
    lake.put({"b.csv": lines("id,name,kind", "2,Bob,c")})

    lake.ingest(contract=grown, slot="2")

    assert [reasons for _, reasons in lake.refused()] == [[("/kind", "enum")]]
    assert lake.rows("id") == [2]


def test_a_property_new_in_the_contract_becomes_a_column_of_the_table(lake: Lake) -> None:
    lake.put({"a.csv": lines("id,name,kind", "1,Ada,a")})
    lake.ingest(contract=CONTRACT, slot="1")
    grown = {**CONTRACT, "properties": {**CONTRACT["properties"], "since": {"type": "string", "format": "date"}}}
    lake.put({"b.csv": lines("id,since", "2,2026-11-24")})

    ended = lake.ingest(contract=grown, slot="2")

    assert ended.result.metrics["columnsEvolved"] == "since date added"
    assert sorted((row.id, str(row.since)) for row in lake.table().collect()) == [(1, "None"), (2, "2026-11-24")]


def test_a_wider_decimal_widens_the_column_only_if_the_pipeline_says_so(lake: Lake) -> None:
    def priced(digits: str) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"id": {"type": "integer"}, "price": {"type": "number", "x-spark-type": digits}},
        }

    lake.put({"a.csv": lines("id,price", "1,1.25")})
    lake.ingest(contract=priced("decimal(6,2)"), slot="1")
    lake.put({"b.csv": lines("id,price", "2,1234567.125")})

    with pytest.raises(JobError, match=r"SchemaMismatch.*contract\.drift\.typeChange to Evolve"):
        lake.ingest(contract=priced("decimal(12,3)"), slot="2")
    ended = lake.ingest(contract=priced("decimal(12,3)"), slot="2", attempt=2, drift={"typeChange": "Evolve"})

    assert ended.result.metrics["columnsEvolved"] == "price widened to decimal(12,3)"
    assert [str(price) for price, _ in lake.rows("price", "id")] == ["1.250", "1234567.125"]
    with pytest.raises(JobError, match="SchemaMismatch"):
        lake.ingest(contract=priced("decimal(8,3)"), slot="3", drift={"typeChange": "Evolve"})


def test_a_member_new_in_an_object_or_in_the_items_of_a_list_becomes_a_column_within_the_column(lake: Lake) -> None:
    def placed(**place: Any) -> dict[str, Any]:
        inner = {"type": "object", "properties": {"city": {"type": "string"}, **place}}
        stops = {"type": "array", "items": inner}
        return {"type": "object", "properties": {"id": {"type": "integer"}, "place": inner, "stops": stops}}

    lake.put({"a.ndjson": ndjson({"id": 1, "place": {"city": "Oslo"}, "stops": [{"city": "Rome"}]})})
    lake.ingest(contract=placed(), source={"format": "ndjson"}, slot="1")
    deeper = {"type": "object", "properties": {"at-noon": {"type": "integer"}}}
    grown = placed(**{"zip-code": {"type": "string"}, "count": deeper})
    lake.put({"b.ndjson": ndjson({"id": 2, "place": {"zip-code": "0150"}, "stops": [{"count": {"at-noon": 7}}]})})

    ended = lake.ingest(contract=grown, source={"format": "ndjson"}, slot="2")

    assert ended.result.metrics["columnsEvolved"] == (
        "place.zip-code string added, place.count struct<at-noon:bigint> added, "
        "stops.element.zip-code string added, stops.element.count struct<at-noon:bigint> added"
    )
    first, second = lake.table().orderBy("id").collect()
    assert (first.place.city, first.place["zip-code"], first.stops[0].city) == ("Oslo", None, "Rome")
    assert (second.place.city, second.place["zip-code"], second.stops[0]["count"]["at-noon"]) == (None, "0150", 7)
