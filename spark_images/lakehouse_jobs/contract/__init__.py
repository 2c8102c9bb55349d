"""A JSON Schema as columns of Spark: a native verdict that never accepts a wrong row, the exact one for the rest."""
