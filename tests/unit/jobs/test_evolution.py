"""How a table and the rows of a newer contract are brought together, down to the last member."""

import pytest
from pyspark.sql.types import ArrayType, DataType, DecimalType, LongType, MapType, StringType, StructField, StructType

from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.evolution import evolution


def struct(**types: DataType) -> StructType:
    return StructType([StructField(name, type_) for name, type_ in types.items()])


def test_members_new_in_structs_lists_and_maps_are_added_where_they_are() -> None:
    has = struct(a=struct(b=StringType()), c=ArrayType(struct(b=StringType())), d=MapType(StringType(), struct()))
    inner = struct(b=StringType(), New=LongType())
    wanted = struct(A=inner, c=ArrayType(inner), d=MapType(StringType(), inner), e=inner)

    found = evolution("t", has, wanted, widen=False)

    assert [one.told for one in found.added] == [
        "a.New bigint",
        "c.element.New bigint",
        "d.value.b string",
        "d.value.New bigint",
        "e struct<b:string,New:bigint>",
    ]
    assert found.added[1].sql == "`c`.`element`.`New`"
    assert found.widened == ()


def test_what_a_table_has_and_the_rows_lack_stays() -> None:
    assert (
        evolution(
            "t", struct(a=struct(b=LongType(), c=LongType()), d=LongType()), struct(a=struct(b=LongType())), widen=True
        ).told
        == ()
    )


def test_a_member_is_widened_only_if_the_pipeline_says_so() -> None:
    has, wanted = struct(a=struct(b=DecimalType(6, 2))), struct(a=struct(b=DecimalType(9, 3)))

    assert evolution("t", has, wanted, widen=True).told == ("a.b widened to decimal(9,3)",)
    with pytest.raises(JobError, match=r"a\.b is decimal\(6,2\), not decimal\(9,3\).*typeChange to Evolve"):
        evolution("t", has, wanted, widen=False)


@pytest.mark.parametrize(
    ("has", "wanted"),
    [
        pytest.param(StringType(), struct(b=LongType()), id="a text that became an object"),
        pytest.param(ArrayType(LongType()), ArrayType(StringType()), id="items of another type"),
        pytest.param(MapType(StringType(), LongType()), MapType(LongType(), LongType()), id="keys of another type"),
        pytest.param(DecimalType(19, 0), LongType(), id="a narrower type"),
    ],
)
def test_another_type_is_a_mismatch(has: DataType, wanted: DataType) -> None:
    with pytest.raises(JobError) as caught:
        evolution("t", struct(a=has), struct(a=wanted), widen=True)

    assert caught.value.reason == "SchemaMismatch"
