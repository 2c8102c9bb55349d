"""Entry of the Spark image: `driver` and `executor` as Spark on Kubernetes calls them, else a command."""
