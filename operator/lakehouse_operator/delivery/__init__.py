"""How messages leave the operator."""
