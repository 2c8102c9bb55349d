"""The operator: decides in core, touches the cluster in kube, runs in handlers."""
