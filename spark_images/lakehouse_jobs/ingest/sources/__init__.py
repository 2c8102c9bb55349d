"""The sources a batch can be read from, one package per kind."""
