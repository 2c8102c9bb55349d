"""Kubernetes objects of the cluster's own services, as pure functions: DNS, and two S3 stores as two regions."""

import json
from pathlib import Path
from typing import Any

from lakehouse_dev import s3
from lakehouse_dev.cluster.programs import DNS_ADDRESS, DOMAIN

Manifest = dict[str, Any]

S3_NAMESPACE = "s3"
S3_PORT = 8333
REGIONS = {"east": 30333, "west": 30334}
"""Region → port under which the node serves it to this machine; pods use `http://s3-<region>.s3.svc:8333`."""

BUCKETS = {"east": ("landing", "lake"), "west": ("lake-dr",)}
_S3_PORTS = (9333, 8080, 8888, S3_PORT, 19333, 18080, 18888, 18333)
_NOBODY = 65535
_COREFILE = f"""\
{DOMAIN} in-addr.arpa ip6.arpa {{
    errors
    health
    ready
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        pods insecure
        ttl 5
    }}
    cache 5
}}
. {{
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def dns(image: str) -> list[Manifest]:
    """Return CoreDNS; names outside the cluster do not exist, which answers at once instead of timing out."""
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    return [
        _account("kube-system", "coredns"),
        *_dns_rights(),
        namespaced("v1", "ConfigMap", "kube-system", "coredns", data={"Corefile": _COREFILE}),
        deployment("kube-system", "coredns", _dns_pod(image)),
        service("kube-system", "kube-dns", app="coredns", clusterIP=DNS_ADDRESS, ports=ports),
    ]


def stores(image: str, data: Path) -> list[Manifest]:
    """Return the S3 stores; what they hold is under `data/<region>` on the node and outlives their pods."""
    secret = {"identities.json": json.dumps(s3.identities(s3.ACCESS_KEY, s3.SECRET_KEY))}
    keys = {"AWS_ACCESS_KEY_ID": s3.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY}
    return [
        namespace_named(S3_NAMESPACE),
        namespaced("v1", "Secret", S3_NAMESPACE, "s3-identities", stringData=secret),
        namespaced("v1", "Secret", S3_NAMESPACE, "s3-credentials", stringData=keys),
        *(each for region in REGIONS for each in _store(region, image, data / region)),
    ]


def _store(region: str, image: str, data: Path) -> list[Manifest]:
    name = f"s3-{region}"
    port = {"name": "s3", "port": S3_PORT, "nodePort": REGIONS[region]}
    return [
        deployment(S3_NAMESPACE, name, _store_pod(image, data)),
        service(S3_NAMESPACE, name, app=name, type="NodePort", ports=[port]),
    ]


def _store_pod(image: str, data: Path) -> Manifest:
    listen = s3.Listen(bind="0.0.0.0", ports=_S3_PORTS)
    arguments = s3.server_arguments(Path("/data"), Path("/etc/s3/identities.json"), listen)
    container = {
        "name": "weed",
        "image": image,
        "args": arguments,
        "ports": [{"name": "s3", "containerPort": S3_PORT}],
        "readinessProbe": {
            "httpGet": {"path": s3.READY_PATH, "port": _S3_PORTS[0]},
            "periodSeconds": 1,
        },
        "securityContext": locked_down(),
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "identities", "mountPath": "/etc/s3", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    volumes = [
        {"name": "data", "hostPath": {"path": str(data), "type": "Directory"}},
        {"name": "identities", "secret": {"secretName": "s3-identities"}},
        {"name": "tmp", "emptyDir": {}},
    ]
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsUser": _NOBODY, "runAsGroup": _NOBODY, "runAsNonRoot": True},
        "containers": [container],
        "volumes": volumes,
    }


def _dns_pod(image: str) -> Manifest:
    container = {
        "name": "coredns",
        "image": image,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "failureThreshold": 5},
        "securityContext": {**locked_down(), "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    return {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "securityContext": {"runAsUser": 0},
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }


def _dns_rights() -> list[Manifest]:
    rules = [
        {
            "apiGroups": [""],
            "resources": ["endpoints", "services", "pods", "namespaces"],
            "verbs": ["list", "watch"],
        },
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    name, group = "system:coredns", "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    subject = {"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}
    return [
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": role,
            "subjects": [subject],
        },
    ]


def locked_down() -> Manifest:
    """Return the security context of a container that needs no right at all."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def namespace_named(name: str) -> Manifest:
    """Return a namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def namespaced(version: str, kind: str, namespace: str, name: str, **content: Any) -> Manifest:
    """Return an object of a namespace."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}, **content}


def _account(namespace: str, name: str) -> Manifest:
    return namespaced("v1", "ServiceAccount", namespace, name)


def service(namespace: str, name: str, *, app: str, **spec: Any) -> Manifest:
    """Return a Service of the Pods of an app."""
    return namespaced("v1", "Service", namespace, name, spec={"selector": {"app": app}, **spec})


def deployment(namespace: str, name: str, pod: Manifest) -> Manifest:
    """Return a Deployment of one Pod, which ends before the next one starts."""
    labels = {"app": name}
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return namespaced("apps/v1", "Deployment", namespace, name, spec=spec)
