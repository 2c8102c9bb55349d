"""How we touch the cluster."""
