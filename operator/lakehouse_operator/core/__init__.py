"""What we decide: pure functions of values."""
