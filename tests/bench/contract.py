"""What a contract costs: NDJSON from S3 to a Delta table, without one, under ours, and with validators in a UDF.

All four read the same files into the same columns and run in turn in one Spark session, several rounds, on rows that
are all valid and on rows of which 1 % are not. Ours is the whole ingest: plan, verdicts, quarantine, two commits, and
the outcome beside the table. The others only read, judge and append; the UDFs drop what they refuse. What a batch costs
whatever its size is measured apart, with a few rows.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import BooleanType, StructField, StructType

from lakehouse_api.run import ContractSnapshot, Store
from lakehouse_dev.progress import say
from lakehouse_dev.s3 import start_s3
from lakehouse_dev.spark_jars import job_jars
from lakehouse_jobs.contract.columns import column_type
from lakehouse_jobs.contract.schema import read_contract
from lakehouse_jobs.session import reach
from lakehouse_jobs.storage import to_hadoop
from tests.bench.contract_rows import CONTRACT, file_of_rows
from tests.spark.conftest import PYTHON_PATH, SPARK_CONF
from tests.spark.lake import BUCKET, CREDENTIALS_PREFIX, Lake, store

ROWS = 300_000
FEW_ROWS = 20
FILES = 4
ROUNDS = 3
BAD_EVERY = {"valid": 0, "1 % bad": 100}

Way = Callable[[Lake], None]
_DRIVER = {"spark.driver.memory": "3g", "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}
"""As the image starts a driver that works alone."""


def run() -> dict[str, Any]:
    """Measure all ways in turn; the result has seconds for the same rows, medians."""
    with tempfile.TemporaryDirectory(prefix="lakehouse-contract-") as directory, _spark(Path(directory)) as (spark, s3):
        runs = _Runs(spark, s3)
        runs.rounds(ROWS // 20, BAD_EVERY["1 % bad"], 1)  # warms up
        seconds = {name: runs.rounds(ROWS, every, ROUNDS) for name, every in BAD_EVERY.items()}
        of_few = runs.rounds(FEW_ROWS, 0, ROUNDS)
    medians = {name: {way: statistics.median(each) for way, each in ways.items()} for name, ways in seconds.items()}
    ours, peer = medians["valid"]["ours"], medians["valid"]["no contract"]
    return {
        "bench": "contract",
        "ours": round(ours, 2),
        "peer": round(peer, 2),
        "ratio": round(ours / peer, 3),
        "unit": "s",
        "detail": {
            "rows": ROWS,
            "cores": 2,
            "peer": "the same rows read and appended without a contract",
            "rows_per_second": {
                name: {way: round(ROWS / each) for way, each in ways.items()} for name, ways in medians.items()
            },
            "seconds_of_20_rows": {way: round(statistics.median(each), 2) for way, each in of_few.items()},
            "seconds": {
                name: {way: [round(value, 2) for value in each] for way, each in ways.items()}
                for name, ways in seconds.items()
            },
        },
    }


@contextmanager
def _spark(directory: Path) -> Iterator[tuple[SparkSession, Any]]:
    os.environ |= {"PYTHONPATH": PYTHON_PATH, "PYSPARK_PYTHON": sys.executable}  # for Spark's Python workers
    builder = SparkSession.builder.config("spark.driver.extraClassPath", f"{job_jars()}/*")
    builder = builder.config("spark.local.dir", str(directory / "spark"))
    for key, value in {**SPARK_CONF, **_DRIVER}.items():
        builder = builder.config(key, value)
    with start_s3(directory / "s3") as s3:
        os.environ[f"{CREDENTIALS_PREFIX}_ACCESS_KEY_ID"] = s3.access_key
        os.environ[f"{CREDENTIALS_PREFIX}_SECRET_ACCESS_KEY"] = s3.secret_key
        s3.client().create_bucket(Bucket=BUCKET)
        spark = builder.getOrCreate()
        reach(spark, [Store.model_validate(store(s3))])
        yield spark, s3
        spark.stop()


class _Runs:
    """Runs of all ways, each into a place of its own."""

    def __init__(self, spark: SparkSession, s3: Any) -> None:
        self._spark, self._s3 = spark, s3
        self._places = count()

    def rounds(self, rows: int, every: int, rounds: int) -> Mapping[str, list[float]]:
        """Run all ways in turn, several times over; give the seconds of each."""
        texts = {f"{number}.ndjson": file_of_rows(rows // FILES, number, every) for number in range(FILES)}
        found: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way, seconds in found.items():
                seconds.append(self._once(way, texts))
                say(f"{rows} rows, every {every}th bad, {way}: {seconds[-1]:.1f} s")
        return found

    def _once(self, way: str, texts: Mapping[str, str]) -> float:
        lake = Lake(s3=self._s3, spark=self._spark, prefix=f"bench-{next(self._places)}")
        lake.put(texts)
        began = time.monotonic()
        WAYS[way](lake)
        took = time.monotonic() - began
        self._spark.conf.unset("spark.sql.files.maxPartitionBytes")
        self._spark.conf.unset("spark.sql.files.openCostInBytes")
        return took


def _ours(lake: Lake) -> None:
    lake.ingest(source={"format": "ndjson"}, contract=CONTRACT)


def _without(lake: Lake) -> None:
    rows = lake.spark.read.schema(_columns()).json(to_hadoop(lake.uri("source/")))
    rows.write.format("delta").save(to_hadoop(lake.uri("bronze/people")))


def _in_udf(is_valid: Callable[[str], bool]) -> Way:
    def run_way(lake: Lake) -> None:
        judge = F.udf(is_valid, BooleanType(), useArrow=False)
        lines = lake.spark.read.text(to_hadoop(lake.uri("source/"))).where(judge("value"))
        rows = lines.select(F.from_json("value", _columns()).alias("row")).select("row.*")
        rows.write.format("delta").save(to_hadoop(lake.uri("bronze/people")))

    return run_way


def _columns() -> StructType:
    contract = read_contract(ContractSnapshot(name="crm-accounts", version="bench", schema_=CONTRACT))
    return StructType([StructField(field.name, column_type(field)) for field in contract.fields])


def _jsonschema(text: str) -> bool:
    global _reference  # noqa: PLW0603 (one for each of Spark's workers)
    _reference = _reference or Draft202012Validator(CONTRACT, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return bool(_reference.is_valid(json.loads(text)))


def _jsonschema_rs(text: str) -> bool:
    global _fast  # noqa: PLW0603 (one for each of Spark's workers)
    _fast = _fast or jsonschema_rs.Draft202012Validator(CONTRACT, validate_formats=True)
    return bool(_fast.is_valid(json.loads(text)))


_reference: Any = None
_fast: Any = None
WAYS: Mapping[str, Way] = {
    "no contract": _without,
    "ours": _ours,
    "jsonschema-rs in a UDF": _in_udf(_jsonschema_rs),
    "jsonschema in a UDF": _in_udf(_jsonschema),
}


if __name__ == "__main__":
    print(json.dumps(run()))  # noqa: T201 - the result is the output
