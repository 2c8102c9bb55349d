"""`kubectl lakehouse`: what people and their CI ask of contracts, on files and of a cluster. One module per group."""
