"""Databases: what to read is frozen in SQL, read once through the JDBC driver, landed as Parquet, then judged."""
