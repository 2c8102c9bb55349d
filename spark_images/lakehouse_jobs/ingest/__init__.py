"""The ingest job: new files of a source, held to a contract, appended to a Delta table exactly once."""
