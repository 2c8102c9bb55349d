"""Looking at Delta tables on S3 from this machine, without Spark."""

from dataclasses import dataclass
from typing import Any

from deltalake import DeltaTable, QueryBuilder

from lakehouse_dev import s3

TABLE = "t"
"""What a query calls the table."""


@dataclass(frozen=True, kw_only=True)
class Lake:
    """The tables under one URI, reached by an S3 endpoint."""

    endpoint: str
    uri: str

    def table(self, name: str) -> DeltaTable:
        """Open a table by its logical name, such as `bronze.orders`, at its newest version."""
        options = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": s3.REGION,
            "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return DeltaTable(f"{self.uri}/{name.replace('.', '/')}", storage_options=options)

    def query(self, name: str, sql: str) -> Any:
        """Run SQL over a table, which the query calls `t`; answers an Arrow table."""
        return QueryBuilder().register(TABLE, self.table(name)).execute(sql).read_all()

    def drawn(self, name: str, sql: str) -> str:
        """Answer a query as a table drawn with lines."""
        return str(self.query(name, sql)).partition("\n")[2]  # the first line names the class

    def count(self, name: str, *, of: str = "*") -> int:
        """Count the rows of a table, or what of them is named."""
        answer = self.query(name, f"SELECT count({of}) AS n FROM {TABLE}")
        return int(answer["n"].to_pylist()[0])
