"""The web APIs of the demo as a Pod behind three names, and the authority that signed its certificate.

The Secret of the certificate is made once per cluster. Its authority is what every namespace of pipelines trusts.
"""

import base64
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lakehouse_dev import base_images, paths
from lakehouse_dev.certificates import Authority
from lakehouse_dev.cluster import services
from lakehouse_dev.cluster.manifests import Manifest, deployment, locked_down, namespace_named, namespaced, service
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image
from lakehouse_dev.service_images import DOCKERFILES
from lakehouse_dev.spark_image import python_packages
from lakehouse_dev.web.oauth import CLIENT_ID, CLIENT_SECRET

NAMESPACE = "web"
NAME = "web"
HOSTS = ("salesforce", "hubspot", "ecb", "lineage")
"""Each is a Service: https://salesforce.web.svc.cluster.local and so on."""

CLIENTS = ("salesforce-api", "hubspot-api")
"""Secrets that the examples name: each lets its pipeline in."""

CA_CONFIG_MAP = "lakehouse-ca"
"""What values-local.yaml calls the ConfigMap of the authorities that jobs trust."""

_TLS = "web-tls"
_PORT = 8443
_UID = 65532
_PACKAGES = (
    *("aiohttp", "aiohappyeyeballs", "aiosignal", "attr", "attrs", "frozenlist", "idna"),
    *("multidict", "propcache", "typing_extensions.py", "yarl"),
)


def image() -> Image:
    """Return the image of the APIs."""
    packages, code = python_packages(None), paths.REPOSITORY / "dev" / "lakehouse_dev"
    context = {f"python/{name}": packages / name for name in _PACKAGES}
    context |= {"lakehouse_dev/__init__.py": code / "__init__.py", "lakehouse_dev/web": code / "web"}
    base = base_images.base_image(base_images.PYTHON).name
    return build_image(
        NAME, dockerfile=DOCKERFILES / NAME / "Dockerfile", context=context, build_args={"BASE_IMAGE": base}
    )


def deploy(cluster: Provider, *namespaces: str) -> None:
    """Start the APIs and give namespaces the Secrets that open them."""
    built = image()
    cluster.load_image(built)
    trust(cluster.kubeconfig, *namespaces)
    keys = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    clients = [namespaced("v1", "Secret", each, name, stringData=keys) for each in namespaces for name in CLIENTS]
    services.apply(cluster.kubeconfig, [*manifests(built.name), *clients])
    services.wait_for_deployment(cluster.kubeconfig, NAMESPACE, NAME)


def trust(kubeconfig: Path, *namespaces: str) -> None:
    """Let the jobs of namespaces trust the APIs, whether or not these run."""
    authority = _certificate(kubeconfig)["ca.crt"]
    maps = [namespaced("v1", "ConfigMap", each, CA_CONFIG_MAP, data={"ca.crt": authority}) for each in namespaces]
    services.apply(kubeconfig, maps)


def _certificate(kubeconfig: Path) -> Mapping[str, str]:
    """Return the cluster's certificate, its key and its authority, made if there are none."""
    found = _secret(kubeconfig)
    if found is None:
        namespace = namespace_named(NAMESPACE)
        found = _sign()
        services.apply(kubeconfig, [namespace, namespaced("v1", "Secret", NAMESPACE, _TLS, stringData=found)])
    return found


def _secret(kubeconfig: Path) -> Mapping[str, str] | None:
    get = ("--namespace", NAMESPACE, "get", "secret", _TLS, "--ignore-not-found", "--output=json")
    text = services.kubectl(kubeconfig, *get)
    if not text:
        return None
    return {name: base64.b64decode(value).decode() for name, value in json.loads(text)["data"].items()}


def _sign() -> dict[str, str]:
    names = [f"{host}.{NAMESPACE}.{end}" for host in HOSTS for end in ("svc", "svc.cluster.local")]
    with tempfile.TemporaryDirectory() as scratch:
        authority = Authority.create(Path(scratch))
        pair = authority.server(NAME, names=names)
        files = {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": authority.path}
        return {name: file.read_text() for name, file in files.items()}


def manifests(image_name: str) -> list[Manifest]:
    """Return the APIs' objects; what they hold is the same in every Pod until it is changed."""
    ports = [{"name": "https", "port": 443, "targetPort": _PORT}]
    return [
        *(service(NAMESPACE, host, app=NAME, ports=ports) for host in HOSTS),
        deployment(NAMESPACE, NAME, _pod(image_name)),
    ]


def _pod(image_name: str) -> dict[str, Any]:
    container = {
        "name": NAME,
        "image": image_name,
        "args": [f"--port={_PORT}", "--certificate=/etc/web/tls.crt", "--key=/etc/web/tls.key"],
        "ports": [{"name": "https", "containerPort": _PORT}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": _PORT, "scheme": "HTTPS"}, "periodSeconds": 1},
        "securityContext": locked_down(),
        "volumeMounts": [{"name": "tls", "mountPath": "/etc/web", "readOnly": True}],
    }
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsUser": _UID, "runAsGroup": _UID, "fsGroup": _UID, "runAsNonRoot": True},
        "containers": [container],
        "volumes": [{"name": "tls", "secret": {"secretName": _TLS}}],
    }
