"""Files of an object store, each version read once."""
