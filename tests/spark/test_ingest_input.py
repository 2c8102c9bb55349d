"""Files as they come: every format, odd names, moved columns; and each way in which a file or a spec can be wrong."""

import bz2
import gzip
import json
from typing import Any

import pytest
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)

from lakehouse_api.run import ExitCode
from lakehouse_jobs.failures import JobError
from tests.spark.lake import Lake, lines

pytestmark = pytest.mark.spark

VALUES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "price": {"type": "number", "x-spark-type": "decimal(10,2)"},
        "rate": {"type": "number"},
        "on": {"type": "boolean"},
        "tags": {"type": "array"},
    },
}


def zstd(lake: Lake, data: bytes) -> bytes:
    """Compress as the program zstd does, by the library that Spark has."""
    jvm: Any = lake.spark._jvm
    return bytes(jvm.com.github.luben.zstd.Zstd.compress(data))


def refusal(lake: Lake, **changes: Any) -> JobError:
    with pytest.raises(JobError) as caught:
        lake.ingest(**changes)
    assert not [key for key in lake.keys("") if "_delta_log" in key], "nothing is committed"
    return caught.value


def test_csv_columns_are_found_by_name_wherever_they_stand(lake: Lake) -> None:
    lake.put(
        {
            "1.csv": lines("id,name", "1,Ada"),
            "2.csv": "\ufeff" + lines("name,shoe size,id", "Bob,44,2"),
            "3.csv": 'id,name,email\r\n3,"C, ""D""\r\nE",x@y\r\n\r\n4,,\r\n',
        }
    )

    ended = lake.ingest()

    assert lake.rows("id", "name", "_ingest_row") == [
        (1, "Ada", 1),
        (2, "Bob", 1),
        (3, 'C, "D"\nE', 1),
        (4, None, 2),
    ]
    assert ended.batches[0].columns_ignored == ("shoe size",)
    assert ended.batches[0].columns_missing == ("email",)


def test_a_file_with_5_000_columns_is_read(lake: Lake) -> None:
    names = [f"c{number}" for number in range(5000)]
    lake.put({"1.csv": lines(",".join(names), ",".join(map(str, range(5000))), ",".join(["x"] * 5000))})
    contract = {"type": "object", "properties": {name: {"type": "integer"} for name in ("c7", "c4999")}}

    ended = lake.ingest(contract=contract)

    assert lake.rows("c7", "c4999") == [(7, 4999)]
    assert len(ended.batches[0].columns_ignored) > 90
    [(row, reasons)] = lake.refused()
    assert list(json.loads(row)) == names
    assert reasons == [("/c4999", "type"), ("/c7", "type")]


def test_a_required_column_that_a_file_lacks_refuses_its_rows(lake: Lake) -> None:
    lake.put({"1.csv": lines("name", "Ada", "Bob"), "2.csv": lines("id", "1")})

    ended = lake.ingest()

    assert ended.result.metrics["rowsQuarantined"] == 2
    assert ended.result.metrics["refusals"] == "/id required (2)"
    assert "id" in ended.batches[0].columns_missing


def test_a_record_that_was_cut_off_and_bytes_that_are_no_text_are_quarantined(lake: Lake) -> None:
    lake.put({"1.csv": b"id,name,email\n1,Ada,a@b\n2,\xff\xfe,a@b\n3,Cy,c@d,more\n4,Di"})

    lake.ingest()

    assert lake.rows("id") == [1]
    assert lake.refused() == [
        ('"3,Cy,c@d,more"', [("", "Malformed")]),
        ('"4,Di"', [("", "Malformed")]),
        ('{"id":"2","name":"��","email":"a@b"}', [("", "Encoding")]),
    ]


def test_files_may_lie_in_folders_of_dates_and_their_names_hold_any_character(lake: Lake) -> None:
    names = ["a b.csv", "100%.csv", "[x]{y}*?.csv", "plus+é#.csv", "東京%20.csv"]
    names += ["2026/11/23/a.csv", "2026/11/24/a.csv", "date=2026-11-24/id=7/b.csv"]
    lake.put({name: lines("id", str(number)) for number, name in enumerate(names)})

    lake.ingest()

    assert lake.rows("_ingest_file") == sorted(lake.uri(f"source/{name}") for name in names)
    assert lake.rows("id") == [*range(len(names))], "a folder that is named like a column is none"


def test_delimiter_quote_encoding_and_compression_are_the_users_choice(lake: Lake) -> None:
    texts = [f"id;name\n{number};'Köln; Rhein'\n".encode("latin-1") for number in (1, 2)]
    lake.put({"1.csv.gz": gzip.compress(texts[0]), "2.csv.zst": zstd(lake, texts[1])})

    options = {"delimiter": ";", "quote": "'", "encoding": "ISO-8859-1"}
    lake.ingest(source={"options": options})

    assert lake.rows("id", "name") == [(1, "Köln; Rhein"), (2, "Köln; Rhein")]


def test_empty_files_are_read_once_and_have_no_rows(lake: Lake) -> None:
    lake.put({"1.csv": b"", "2.csv": "\n"})

    ended = lake.ingest()

    assert (ended.result.metrics["rowsRead"], ended.result.metrics["filesRead"]) == (0, 2)
    assert lake.ingest(slot="2").result.reason == "NoNewFiles"


@pytest.mark.parametrize("as_array", [False, True], ids=["one record per line", "one array per file"])
def test_json_records_keep_their_types_and_null_is_judged_by_the_contract(lake: Lake, *, as_array: bool) -> None:
    records = [
        '{"id":1,"at":"2026-01-02T03:04:05.678901+02:00","day":"2024-02-29","price":1.50,"rate":0.1,"on":true}',
        '{"id": 2.0, "tags": [1, {"a": null}], "unknown": 1}',
        '{"id": null}',
        '{"id": 3} trailing' if not as_array else '{"id": "3"}',
        '{"id": 4, "price": 1.239}',
    ]
    document = f"[{', '.join(records)}]" if as_array else "\ufeff" + "\n\n".join(records)
    lake.put({"1.json": document, "2.json.zst": zstd(lake, b'{"id": 5, "tags": [\n]}' if as_array else b'{"id": 5}')})

    ended = lake.ingest(contract=VALUES, source={"format": "json" if as_array else "ndjson"})

    whole = lake.table().where("id = 1").withColumn("at", F.col("at").cast("string")).first()
    assert whole is not None
    expected = ("2026-01-02 01:04:05.678901", "2024-02-29", "1.50", 0.1, True, None)
    assert (whole.at, str(whole.day), str(whole.price), whole.rate, whole.on, whole.tags) == expected
    assert lake.rows("id", "tags", "_ingest_row") == [
        (1, None, 1),
        (2, '[1,{"a":null}]', 2 if as_array else 3),
        (5, "[]" if as_array else None, 1),
    ]
    reasons = {reason for _, found in lake.refused() for reason in found}
    assert reasons == {
        ("/id", "type"),
        ("/price", "Unrepresentable"),
        ("/id", "type") if as_array else ("", "Malformed"),
    }
    assert ended.batches[0].columns_ignored == ("unknown",)


def test_parquet_columns_are_typed_and_numbered_by_their_file(lake: Lake) -> None:
    rows = lake.spark.range(1, 4).selectExpr(
        "cast(id as int) id",
        "timestamp'2026-01-02T03:04:05.678Z' at",
        "date'2024-02-29' day",
        "cast(1.5 as decimal(10,2)) price",
        "if(id = 3, double('NaN'), 0.25D) rate",
        "true on",
        "array('x') tags",
        "'more' extra",
    )
    rows.coalesce(1).write.parquet(lake.uri("source").replace("s3://", "s3a://"))

    ended = lake.ingest(contract=VALUES, source={"format": "parquet"})

    assert lake.rows("id", "_ingest_row", "tags") == [(1, 1, '["x"]'), (2, 2, '["x"]')]
    assert ended.result.metrics["rowsQuarantined"] == 1
    assert ended.batches[0].columns_ignored == ("extra",)
    first = lake.table().where("id = 1").withColumn("at", F.col("at").cast("string")).first()
    assert first is not None
    assert (first.at, str(first.day), str(first.price), first.rate) == (
        "2026-01-02 03:04:05.678",
        "2024-02-29",
        "1.50",
        0.25,
    )


def test_valid_values_that_the_table_cannot_hold_are_quarantined_never_rounded(lake: Lake) -> None:
    lake.put(
        {
            "1.csv": lines(
                "id,price,rate,at",
                "9223372036854775807,99999999.99,1e3,2026-01-01T00:00:00Z",
                "9223372036854775808,,,",
                "1,1.239,,",
                "2,100000000,,",
                "3,,1e400,",
                "4,,12345678901234567890,",
                "5,,,2026-01-01T00:00:00.1234567Z",
                "6,,,2026-01-01T00:00:00.123456000+18:30",
            )
        }
    )

    lake.ingest(contract=VALUES)

    assert lake.rows("id") == [6, 9223372036854775807]
    assert [found for _, found in lake.refused()] == [
        [("/price", "Unrepresentable")],
        [("/price", "Unrepresentable")],
        [("/rate", "Unrepresentable")],
        [("/rate", "Unrepresentable")],
        [("/at", "Unrepresentable")],
        [("/id", "Unrepresentable")],
    ]


def workbook() -> bytes:
    return b"PK\x03\x04" + bytes(200)


@pytest.mark.parametrize(
    ("name", "data", "format_", "words"),
    [
        pytest.param("x.csv", workbook(), "csv", "spreadsheet", id="a spreadsheet called csv"),
        pytest.param("x.csv", b"id,name\n1,\0\n", "csv", "binary", id="a csv file with NUL bytes"),
        pytest.param(
            "x.csv", gzip.compress(b"id\n1\n"), "csv", "gzip", id="a compressed file whose name does not say so"
        ),
        pytest.param("x.csv", b"\x28\xb5\x2f\xfd\x00", "csv", ".zst", id="a Zstandard file whose name does not say so"),
        pytest.param("x.csv", b"id,name,id\n1,2,3\n", "csv", "more than once", id="a header with a name twice"),
        pytest.param("x.csv", b"id,\n1,2\n", "csv", "no name", id="a header with an empty name"),
        pytest.param("x.csv", b"1,Ada\n2,Bob\n", "csv", "lacks a header", id="a csv file without header"),
        pytest.param("x.json", b'[{"id": 1}, {"id": ]', "json", "not a JSON document", id="a broken json document"),
        pytest.param(
            "x.json", b'[{"id": 1}] and more', "json", "not a JSON document", id="json with something behind it"
        ),
        pytest.param("x.parquet", b"id,name\n1,2\n", "parquet", "arquet", id="a csv file called parquet"),
    ],
)
def test_a_file_of_the_wrong_format_is_refused_by_name(
    lake: Lake, name: str, data: bytes, format_: str, words: str
) -> None:
    lake.put({name: data})

    error = refusal(lake, source={"format": format_})

    assert (error.reason, error.code) == ("DataRefused", ExitCode.DATA_REFUSED)
    assert name in error.message
    assert words in error.message


def compressed(lake: Lake, text: bytes, ending: str) -> bytes:
    if ending == "zst":
        return zstd(lake, text)
    return gzip.compress(text) if ending == "gz" else bz2.compress(text)


@pytest.mark.parametrize("ending", ["gz", "bz2", "zst"])
def test_a_compressed_file_that_was_cut_off_or_spoilt_is_refused_by_name_and_can_be_replaced(
    lake: Lake, ending: str
) -> None:
    text = lines("id,name", *(f"{number},{number * 7919 % 1000}" for number in range(200_000))).encode()
    data, name = compressed(lake, text, ending), f"cut.csv.{ending}"
    middle = len(data) * 3 // 4
    cut, spoilt, nothing = data[:middle], data[:middle] + bytes(20) + data[middle + 20 :], b"id,name\n1,2\n"
    lake.put({"good.csv": lines("id", "1")})

    for attempt, broken in enumerate((cut, spoilt, nothing), start=1):
        lake.put({name: broken})
        error = refusal(lake, attempt=attempt)
        assert (error.reason, error.code) == ("DataRefused", ExitCode.DATA_REFUSED), error
        assert name in error.message

    lake.put({name: data})
    assert lake.ingest(attempt=4).result.metrics["rowsWritten"] == 200_001


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        pytest.param(
            {"contract": {"type": "objekt"}}, "ContractInvalid", "objekt", id="a contract that is no JSON Schema"
        ),
        pytest.param(
            {"contract": {"type": "object"}}, "ContractInvalid", "no properties", id="a contract without columns"
        ),
        pytest.param(
            {"source": {"options": {"mode": "FAILFAST"}}}, "OptionRefused", "mode", id="an option that is fixed"
        ),
        pytest.param(
            {"source": {"options": {"header": "false"}}}, "OptionRefused", "header", id="files without header"
        ),
        pytest.param(
            {"target": {"partitionBy": ["city"]}}, "PartitionColumnUnknown", "city", id="an unknown partition"
        ),
        pytest.param(
            {"target": {"properties": {"delta.nonsense": "1"}}},
            "TablePropertyRefused",
            "nonsense",
            id="an unknown property",
        ),
    ],
)
def test_a_spec_that_cannot_work_is_refused_in_words(
    lake: Lake, changes: dict[str, Any], reason: str, words: str
) -> None:
    lake.put({"1.csv": lines("id", "1")})

    error = refusal(lake, **changes)

    assert (error.reason, error.code) == (reason, ExitCode.SPEC_WRONG)
    assert words in error.message


def test_a_table_with_other_columns_is_a_mismatch_that_names_them(lake: Lake) -> None:
    lake.put({"1.csv": lines("id", "1")})
    lake.ingest(slot="1")
    other = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "city": {"type": "string"}},
    }

    with pytest.raises(JobError) as caught:
        lake.ingest(slot="2", contract=other)

    assert (caught.value.reason, caught.value.code) == ("SchemaMismatch", ExitCode.SPEC_WRONG)
    assert "id is bigint, not string" in caught.value.message


def test_a_new_table_gets_its_partitions_and_properties(lake: Lake) -> None:
    lake.put({"1.csv": lines("id,name", "1,Ada", "2,Bob")})
    lake.ingest(target={"partitionBy": ["name"], "properties": {"delta.enableChangeDataFeed": "true"}})

    detail = lake.spark.sql(f"DESCRIBE DETAIL delta.`{lake.uri('bronze/people').replace('s3://', 's3a://')}`").first()
    assert detail is not None
    assert (detail.partitionColumns, detail.properties["delta.enableChangeDataFeed"]) == (["name"], "true")


def test_every_row_says_where_it_comes_from(lake: Lake) -> None:
    lake.put({"1.csv": lines("id", "1", "x")})
    lake.ingest()

    columns = ("_ingest_run", "_ingest_batch", "_ingest_file", "_ingest_row")
    origin = ("ing-people-1-1-abc", 1, lake.uri("source/1.csv"))
    assert lake.rows(*columns) == [(*origin, 1)]
    refused = lake.table("bronze/people__quarantine").first()
    assert refused is not None
    assert tuple(refused[name] for name in columns) == (*origin, 2)
    assert (refused.contract, len(refused.contract_version), json.loads(refused.row)) == ("people", 12, {"id": "x"})
