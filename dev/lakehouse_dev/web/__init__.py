"""Web APIs that behave like those of two CRMs and a central bank, with data that follows from a seed, and faults."""
