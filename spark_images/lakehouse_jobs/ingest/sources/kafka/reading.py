"""Messages in the shape of `rows`: where each lies, its value as JSON, and what is wrong with it."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 (the name everybody knows)
from pyspark.sql.types import StringType, StructType

from lakehouse_api.sources.kafka import KafkaSource, MessageFormat, Tombstones
from lakehouse_jobs.contract.schema import Contract
from lakehouse_jobs.failures import spec_wrong
from lakehouse_jobs.ingest.rows import judged_rows
from lakehouse_jobs.ingest.sources.kafka.avro import WIRE_BYTES, Schemas, decoder
from lakehouse_jobs.ingest.work import OffsetRange

MOST_SCHEMAS: Final = 1000
POLL_MILLISECONDS: Final = "60000"
_NO_VALUE: Final = "Tombstone: it has no value: its key was deleted"
_NO_TEXT: Final = "Encoding: its bytes are not UTF-8; the row is their base64"
_DECODED: Final = StructType().add("text", StringType()).add("flaw", StringType())


def messages(spark: SparkSession, topic: str, ranges: Iterable[OffsetRange], options: Mapping[str, str]) -> DataFrame:
    """Open the messages of ranges that are not empty; those of aborted transactions are not among them."""
    wanted = list(ranges)
    reader = spark.read.format("kafka").options(**{f"kafka.{key}": value for key, value in options.items()})
    return (
        reader.option("assign", json.dumps({topic: [each.partition for each in wanted]}))
        .option("startingOffsets", json.dumps({topic: {str(each.partition): each.start for each in wanted}}))
        .option("endingOffsets", json.dumps({topic: {str(each.partition): each.end for each in wanted}}))
        .option("minPartitions", max(len(wanted), spark.sparkContext.defaultParallelism))
        .option("kafka.isolation.level", "read_committed")
        .option("failOnDataLoss", "true")
        .option("kafkaConsumer.pollTimeoutMs", POLL_MILLISECONDS)
        .load()
    )


def schema_ids(found: DataFrame) -> list[int]:
    """Find the ids of schemas that messages name; raise FormatWrong if there are too many to be ids."""
    number = F.conv(F.hex(F.substring("value", 2, WIRE_BYTES - 1)), 16, 10).cast("bigint")
    named = found.where((F.length("value") >= WIRE_BYTES) & (F.hex(F.substring("value", 1, 1)) == "00"))
    ids = [row.id for row in named.select(number.alias("id")).distinct().limit(MOST_SCHEMAS + 1).collect()]
    if len(ids) > MOST_SCHEMAS:
        raise spec_wrong(
            "FormatWrong",
            f"the messages name more than {MOST_SCHEMAS} schemas, so they are not what source.kafka.format says: a "
            "zero byte, the id of a schema, and an Avro record. Correct the format or the topic.",
        )
    return ids


def message_rows(found: DataFrame, source: KafkaSource, schemas: Schemas, contract: Contract) -> DataFrame:
    """Judge messages: the file is `topic/partition`, the number is the offset."""
    if source.tombstones is Tombstones.IGNORE:
        found = found.where(F.col("value").isNotNull())
    read = found.select("key", "value", _decode(source, schemas).alias("read"), "topic", "partition", "offset")
    text = F.coalesce(F.col("read.text"), F.base64("value"), _key())
    lines = read.select(
        text.alias("value"),
        F.when(F.col("value").isNull(), F.lit(_NO_VALUE)).otherwise(F.col("read.flaw")).alias("flaw"),
        F.concat_ws("/", "topic", "partition").alias("file"),
        F.col("offset").alias("place"),
    )
    return judged_rows(lines, contract, flaw=F.col("flaw"))


def _decode(source: KafkaSource, schemas: Schemas) -> Column:
    """Give `text`, absent where there is none, and `flaw`, what is wrong with the value."""
    if source.format is MessageFormat.AVRO:
        return F.udf(decoder(schemas), _DECODED, useArrow=False)("value")
    text = F.col("value").cast("string")
    clean = F.is_valid_utf8(text)
    return F.struct(F.when(clean, text).alias("text"), F.when(~clean, F.lit(_NO_TEXT)).alias("flaw"))


def _key() -> Column:
    """Give what is left of a message without a value: its key, in base64 where it is no text."""
    text = F.col("key").cast("string")
    return F.to_json(F.struct(F.when(F.is_valid_utf8(text), text).otherwise(F.base64("key")).alias("key")))
