"""What a person, or a script, is told about a cluster."""

import dataclasses
import json

from lakehouse_dev.cluster.provider import Status


def table(status: Status) -> str:
    """Return a status as aligned lines."""
    rows = [
        ("cluster", f"{status.name} ({status.provider})"),
        ("state", _state(status)),
        ("server", status.server or "-"),
        ("kubeconfig", str(status.kubeconfig or "-")),
        *((f"s3 {region}", endpoint) for region, endpoint in status.s3.items()),
        *((name, f"pid {pid}") for name, pid in sorted(status.programs.items())),
        *(("image", image) for image in status.images),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.upper():<{width}}  {value}" for name, value in rows)


def as_json(status: Status) -> str:
    """Return a status as a JSON document."""
    return json.dumps(dataclasses.asdict(status), indent=2, default=str)


def usage(status: Status) -> str:
    """Return what to type to use a running cluster."""
    lines = [
        f"export KUBECONFIG={status.kubeconfig}",
        "kubectl get pods --all-namespaces",
        *(f"# S3, region {region}: {endpoint}" for region, endpoint in status.s3.items()),
        "# keys: kubectl --namespace s3 get secret s3-credentials",
    ]
    return "\n".join(lines)


def _state(status: Status) -> str:
    if not status.running:
        return "stopped"
    return "running, node ready" if status.node_ready else "running, node not ready"
