"""When we run."""
