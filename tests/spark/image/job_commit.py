"""A job that commits once to a table."""

import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.range(10).write.format("delta").save(sys.argv[1])
sys.stdout.write(f"count: {spark.read.format('delta').load(sys.argv[1]).count()}\n")
spark.stop()
