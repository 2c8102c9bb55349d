"""The Spark applications that the operator launches."""
