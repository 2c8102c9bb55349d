"""What we tell the world about ourselves."""
