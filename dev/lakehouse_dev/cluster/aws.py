"""Services of AWS as a Pod: moto's Secrets Manager, Glue and STS. What they hold goes with the Pod."""

import json
from pathlib import Path
from typing import Any

from lakehouse_dev import base_images
from lakehouse_dev.cluster import services
from lakehouse_dev.cluster.manifests import Manifest, deployment, locked_down, namespace_named, service
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image
from lakehouse_dev.service_images import DOCKERFILES
from lakehouse_dev.spark_image import python_packages

NAMESPACE = "aws"
NAME = "aws"
REGION = "eu-central-1"
PORT = 5000
ENDPOINT = f"http://{NAME}.{NAMESPACE}.svc.cluster.local:{PORT}"
ROLE = "arn:aws:iam::123456789012:role/lakehouse"
"""The role that Pods may take by their token; moto gives it to anyone."""

_UID = 65532
_UNUSED = ("bin", "cfnlint", "mpmath", "networkx", "samtranslator", "sympy")
"""Packages that moto needs for CloudFormation alone."""

_ASK = """\
import boto3, json, sys
asked = json.load(sys.stdin)
keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
place = {"endpoint_url": "http://127.0.0.1:%d", "region_name": "%s"}
answer = getattr(boto3.client(asked["service"], **place, **keys), asked["operation"])(**asked["parameters"])
print(json.dumps(answer, default=str))
"""


def image() -> Image:
    """Return the image of the services."""
    packages = python_packages("cloud")
    context = {f"python/{path.name}": path for path in sorted(packages.iterdir()) if path.name not in _UNUSED}
    base = base_images.base_image(base_images.PYTHON).name
    return build_image(
        "moto", dockerfile=DOCKERFILES / NAME / "Dockerfile", context=context, build_args={"BASE_IMAGE": base}
    )


def deploy(cluster: Provider) -> None:
    """Start the services and return when they answer."""
    built = image()
    cluster.load_image(built)
    services.apply(cluster.kubeconfig, manifests(built.name))
    services.wait_for_deployment(cluster.kubeconfig, NAMESPACE, NAME)


def ask(kubeconfig: Path, service_name: str, operation: str, **parameters: Any) -> Any:
    """Call an operation of a service, by boto3's name, inside its Pod; what is secret in it is in no argument."""
    asked = json.dumps({"service": service_name, "operation": operation, "parameters": parameters})
    python = ("python3", "-c", _ASK % (PORT, REGION))
    pod = ("--namespace", NAMESPACE, "exec", "--stdin", f"deployment/{NAME}", "--")
    return json.loads(services.kubectl(kubeconfig, *pod, *python, stdin=asked))


def identity() -> dict[str, Any]:
    """Return the part of a Pod's spec that gives it a role, as a cluster on AWS does by its account's annotation."""
    variables = {
        "AWS_ROLE_ARN": ROLE,
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/sts.amazonaws.com/token",
        "AWS_ENDPOINT_URL_STS": ENDPOINT,
        "AWS_REGION": REGION,
    }
    token = {"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "token"}}
    mount = {"name": "aws-token", "mountPath": "/var/run/secrets/sts.amazonaws.com", "readOnly": True}
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    return {
        "containers": [{"name": "main", "env": environment, "volumeMounts": [mount]}],
        "volumes": [{"name": "aws-token", "projected": {"sources": [token]}}],
    }


def manifests(image_name: str) -> list[Manifest]:
    """Return the services' objects."""
    return [
        namespace_named(NAMESPACE),
        service(NAMESPACE, NAME, app=NAME, ports=[{"name": "http", "port": PORT}]),
        deployment(NAMESPACE, NAME, _pod(image_name)),
    ]


def _pod(image_name: str) -> dict[str, Any]:
    container = {
        "name": NAME,
        "image": image_name,
        "args": ["-p", str(PORT)],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "securityContext": locked_down(),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsUser": _UID, "runAsGroup": _UID, "runAsNonRoot": True},
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
