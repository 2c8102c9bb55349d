"""The development cluster of the Lakehouse Operator: Kubernetes, S3, container images and the tools they need."""
