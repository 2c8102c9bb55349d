"""Guides whose words are about rows, as a reader follows them: kubectl, API server, operator, jobs and S3 are real.

Only the kubelet is played: for each driver Pod the job of its run.json is done in the Spark session of the tests.
"""

from collections.abc import Mapping
from functools import partial

import pytest
from pyspark.sql import SparkSession

from lakehouse_api.run import RunSpec, Store
from lakehouse_dev.s3 import S3
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.job import ingest
from lakehouse_jobs.reporting import failed
from lakehouse_jobs.session import reach
from tests.apiserver.guided import Guided
from tests.guides import queries
from tests.spark.conftest import s3, spark  # noqa: F401 (fixtures)
from tests.spark.lake import NOW, store

pytestmark = [pytest.mark.apiserver, pytest.mark.spark]

PEOPLE = '{"id": "1", "phone": "5550100"}\n{"id": "2", "phone": "+43 1 5550101"}\n{"phone": "5550102"}\n'
READING = '{{"sensor": "north", "celsius": {}}}\n'
ACCOUNTS = """Id,AnnualRevenue,LastModifiedDate,Industry
1,100,2026-11-23T09:00:00Z,Steel
2,-5,2026-11-23T10:00:00Z,Glass
3,,2026-11-23T11:00:00Z,
"""


def job(session: SparkSession, asked: RunSpec) -> Mapping[str, object]:
    """Do a job as a driver would; gives its result document."""
    try:
        return ingest(session, asked, NOW).result.document()
    except JobError as failure:
        return failed(failure).document()


@pytest.fixture(scope="module")
def landing(s3: S3, spark: SparkSession) -> S3:  # noqa: F811 (the fixtures)
    """Return the store with the bucket that the guides read from; the session reaches it."""
    s3.client().create_bucket(Bucket="landing")
    reach(spark, [Store.model_validate(store(s3, bucket)) for bucket in ("lake", "landing")])
    return s3


def put(landing: S3, key: str, text: str) -> None:
    landing.client().put_object(Bucket="landing", Key=key, Body=text.encode())


async def test_rows_are_quarantined_replayed_and_discarded_as_the_guide_says(
    guided: Guided,
    landing: S3,
    spark: SparkSession,  # noqa: F811 (the fixture)
) -> None:
    put(landing, "people/a.ndjson", PEOPLE)

    await guided.follow("quarantine-and-replay.md", work=partial(job, spark))

    rows = spark.read.format("delta").load("s3a://lake/bronze/people").select("id", "_ingest_batch").collect()
    assert sorted(tuple(row) for row in rows) == [("1", 1), ("2", 2)]
    [open_rows] = queries("quarantine-and-replay.md")
    discarded = spark.sql(open_rows.replace("s3://", "s3a://").replace("IS NULL", "= 'discarded'")).collect()
    assert [row.row for row in discarded] == ['{"phone": "5550102"}']
    [why] = queries("ingest-files.md")
    told = spark.sql(why.replace("s3://lake/warehouse/bronze/crm_contacts", "s3a://lake/bronze/people")).collect()
    assert sorted(tuple(row) for row in told) == [("/id", "required", 1), ("/phone", "maxLength", 1)]


async def test_a_range_is_read_again_as_the_guide_says(
    guided: Guided,
    landing: S3,
    spark: SparkSession,  # noqa: F811 (the fixture)
) -> None:
    put(landing, "readings/2026/01/a.ndjson", "".join(map(READING.format, (1, 2, 71))))
    put(landing, "readings/2026/02/b.ndjson", READING.format(4))

    await guided.follow("backfill.md", work=partial(job, spark))

    rows = spark.read.format("delta").load("s3a://lake/bronze/readings").select("celsius", "_ingest_batch").collect()
    assert sorted(tuple(row) for row in rows) == [(1.0, 2), (2.0, 2), (4.0, 1), (71.0, 2)]
    refused = spark.read.format("delta").load("s3a://lake/bronze/readings__quarantine").select("_status").collect()
    assert [row for (row,) in refused] == ["replayed"]


async def test_a_source_that_changes_is_met_as_the_guide_says(
    guided: Guided,
    landing: S3,
    spark: SparkSession,  # noqa: F811 (the fixture)
) -> None:
    put(landing, "accounts/a.csv", ACCOUNTS)

    def work(asked: RunSpec) -> Mapping[str, object]:
        if asked.slot.endswith("second"):
            put(landing, "accounts/b.csv", "Id,LastModifiedDate\n4,2026-11-24T05:00:00Z\n")
        return job(spark, asked)

    await guided.follow("drift.md", work=work)

    rows = spark.read.format("delta").load("s3a://lake/bronze/accounts").select("Id", "Industry").collect()
    assert sorted(tuple(row) for row in rows) == [("1", "Steel"), ("3", None)]
