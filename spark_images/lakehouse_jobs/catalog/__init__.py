"""Keeping the Glue Data Catalog in step with the tables: observe, decide, execute."""
