"""What an entry of the catalogue is to say of a Delta table, and what changes when the table does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import types as T  # noqa: N812 (the name everybody knows)

from lakehouse_jobs.catalog.columns import COMMENT_LENGTH, Column, columns_of, descriptions_of, hive_type
from lakehouse_jobs.catalog.entry import Create, Document, Entry, Keep, Refuse, Update, step_for

ENTRY = Entry(
    name="orders",
    location="s3://lake/bronze/orders",
    columns=(
        Column(name="id", type="bigint", comment="The order's number."),
        Column(name="lines", type="array<struct<sku:string,price:decimal(18,2)>>"),
        Column(name="day", type="date"),
    ),
    partitioned_by=("Day",),
    description="Orders of the shop.",
)


def stored(table: Document, *, version: str = "1", **changes: Any) -> dict[str, Any]:
    """Give a table as Glue answers it: with more than was given."""
    more = {
        "DatabaseName": "bronze",
        "CatalogId": "123456789012",
        "VersionId": version,
        "IsRegisteredWithLakeFormation": 0,
    }
    return {**table, **more, **changes}


def created() -> Document:
    step = step_for(ENTRY, None)
    assert isinstance(step, Create)
    return step.table


def updated(entry: Entry, found: Document) -> Update:
    step = step_for(entry, found)
    assert isinstance(step, Update), step
    return step


def test_a_new_entry_is_a_delta_table_for_every_engine() -> None:
    table = created()

    assert (table["Name"], table["TableType"]) == ("orders", "EXTERNAL_TABLE")
    assert table["Parameters"] == {
        "EXTERNAL": "TRUE",
        "classification": "delta",
        "table_type": "DELTA",
        "spark.sql.sources.provider": "delta",
    }
    storage = table["StorageDescriptor"]
    assert storage["Location"] == storage["SerdeInfo"]["Parameters"]["path"] == "s3://lake/bronze/orders"
    assert [one["Name"] for one in storage["Columns"]] == ["id", "lines"]
    assert storage["Columns"][0]["Comment"] == "The order's number."
    assert table["PartitionKeys"] == [{"Name": "day", "Type": "date"}]
    assert table["Description"] == "Orders of the shop."


def test_an_entry_that_says_what_it_is_to_say_is_left_alone() -> None:
    assert step_for(ENTRY, stored(created())) == Keep()


def test_how_glue_writes_what_it_was_given_is_no_difference() -> None:
    found = stored(created())
    storage = dict(found["StorageDescriptor"])
    storage["Location"] += "/"
    storage["Columns"] = [
        {**storage["Columns"][0], "Name": "ID", "Type": "BIGINT"},
        {**storage["Columns"][1], "Type": "array<struct<sku:string, price:decimal(18, 2)>>", "Comment": ""},
    ]

    assert step_for(ENTRY, {**found, "StorageDescriptor": storage}) == Keep()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"columns": (*ENTRY.columns, Column(name="note", type="string"))}, "columns", id="a new column"),
        pytest.param({"partitioned_by": ()}, "partition keys", id="no partitions any more"),
        pytest.param(
            {"columns": (replace(ENTRY.columns[0], type="decimal(38,0)"), *ENTRY.columns[1:])}, "columns", id="a type"
        ),
        pytest.param(
            {"columns": (replace(ENTRY.columns[0], comment="Of the shop."), *ENTRY.columns[1:])},
            "columns",
            id="a comment",
        ),
        pytest.param({"description": "All orders."}, "description", id="what the table is"),
    ],
)
def test_the_entry_follows_the_table(change: Mapping[str, Any], told: str) -> None:
    entry = replace(ENTRY, **change)

    step = updated(entry, stored(created(), version="7"))

    assert told in step.changes
    assert step.version == "7"
    assert step_for(entry, stored(step.table)) == Keep()


def test_what_others_keep_in_the_entry_stays() -> None:
    theirs = stored(created(), Owner="finance", Retention=3, UpdateTime="2026-11-24T00:00:00Z")
    theirs["Parameters"] = {**theirs["Parameters"], "classification": "parquet", "cost-centre": "4711"}
    storage = dict(theirs["StorageDescriptor"])
    described = {"Name": "lines", "Type": "string", "Comment": "By hand.", "Parameters": {"pii": "none"}}
    storage["Columns"] = [storage["Columns"][0], described]
    storage["SerdeInfo"] = {**storage["SerdeInfo"], "Name": "theirs"}

    table = updated(ENTRY, {**theirs, "StorageDescriptor": storage}).table

    assert (table["Owner"], table["Retention"], table["Parameters"]["cost-centre"]) == ("finance", 3, "4711")
    assert table["Parameters"]["classification"] == "delta"
    assert table["StorageDescriptor"]["SerdeInfo"]["Name"] == "theirs"
    column = table["StorageDescriptor"]["Columns"][1]
    assert column == {**described, "Type": "array<struct<sku:string,price:decimal(18,2)>>"}
    assert "UpdateTime" not in table, "Glue takes no such member"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"StorageDescriptor": {"Location": "s3://elsewhere/orders"}}, "lies in s3://elsewhere/orders"),
        ({"StorageDescriptor": {"Location": "s3://lake/bronze/orders2"}}, "lies in s3://lake/bronze/orders2"),
        ({"TableType": "VIRTUAL_VIEW", "ViewOriginalText": "SELECT 1"}, "is a view"),
        ({"TargetTable": {"DatabaseName": "a", "Name": "b"}}, "is a link"),
    ],
)
def test_a_name_that_belongs_to_something_else_is_not_taken(found: dict[str, Any], why: str) -> None:
    step = step_for(ENTRY, {"Name": "orders", **found})

    assert isinstance(step, Refuse)
    assert why in step.why


def test_a_table_that_somebody_made_by_hand_at_the_same_place_is_taken_over() -> None:
    found = {"Name": "orders", "StorageDescriptor": {"Location": "s3a://lake/bronze/orders/"}, "VersionId": "1"}

    step = updated(ENTRY, found)

    assert step_for(ENTRY, stored(step.table)) == Keep()


@pytest.mark.parametrize(
    ("type_", "hive"),
    [
        (T.LongType(), "bigint"),
        (T.IntegerType(), "int"),
        (T.ShortType(), "smallint"),
        (T.ByteType(), "tinyint"),
        (T.DoubleType(), "double"),
        (T.FloatType(), "float"),
        (T.BooleanType(), "boolean"),
        (T.BinaryType(), "binary"),
        (T.DateType(), "date"),
        (T.TimestampType(), "timestamp"),
        (T.TimestampNTZType(), "timestamp"),
        (T.VarcharType(3), "string"),
        (T.VariantType(), "string"),
        (T.DecimalType(18, 2), "decimal(18,2)"),
        (T.ArrayType(T.MapType(T.StringType(), T.LongType())), "array<map<string,bigint>>"),
        (T.StructType().add("Sku", T.StringType()).add("n", T.IntegerType()), "struct<sku:string,n:int>"),
    ],
)
def test_types_are_written_as_hive_does(type_: T.DataType, hive: str) -> None:
    assert hive_type(type_) == hive


def test_a_column_is_described_by_the_table_else_by_the_contract() -> None:
    contract = {"properties": {"Id": {"description": "By\n contract."}, "b": {"description": "x" * 300}, "c": True}}
    schema = (
        T.StructType().add("Id", T.LongType()).add("b", T.LongType()).add("c", T.LongType(), metadata={"comment": "T"})
    )

    first, second, third = columns_of(schema, descriptions_of(contract))

    assert (first.name, first.comment, third.comment) == ("id", "By contract.", "T")
    assert len(second.comment) == COMMENT_LENGTH


NAMES = st.text(alphabet="abcAB_1", min_size=1, max_size=4)
COLUMNS = st.lists(
    st.builds(
        Column,
        name=NAMES.map(str.lower),
        type=st.sampled_from(["bigint", "string", "array<struct<a:int,b:decimal(3,1)>>"]),
        comment=st.sampled_from(["", "told"]),
    ),
    unique_by=lambda column: column.name,
    max_size=4,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    columns = tuple(draw(COLUMNS))
    keys = draw(st.permutations([column.name for column in columns]))
    count = draw(st.integers(0, len(keys)))
    described = draw(st.sampled_from(["", "A table."]))
    return replace(ENTRY, columns=columns, partitioned_by=tuple(keys[:count]), description=described)


@given(before=entries(), after=entries())
def test_one_step_is_enough_from_any_entry_to_any_other(before: Entry, after: Entry) -> None:
    found = step_for(before, None)
    assert isinstance(found, Create)

    step = step_for(after, stored(found.table))

    assert step == Keep() or step_for(after, stored(getattr(step, "table", {}))) == Keep()
