"""What users write and what operator and jobs exchange."""
