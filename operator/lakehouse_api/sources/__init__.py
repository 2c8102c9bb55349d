"""The kinds of source a pipeline can read, one model per file."""
