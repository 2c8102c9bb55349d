"""The warehouse of the demo as a Pod: one PostgreSQL that stands in for Snowflake and, behind a front, for Redshift."""

from pathlib import Path
from typing import Any

from lakehouse_dev import base_images, postgres, redshift_front, warehouse
from lakehouse_dev.cluster import services
from lakehouse_dev.cluster.manifests import Manifest, deployment, locked_down, namespace_named, namespaced, service
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image
from lakehouse_dev.service_images import DOCKERFILES

NAMESPACE = "warehouse"
NAME = "postgres"
PORTS = {"postgres": 5432, "redshift": 5439}
READERS = {"warehouse-orders": warehouse.READER, "warehouse-behavior": postgres.REDSHIFT_ROLE}
"""Secret that an example names → the user that it logs in as."""

_UID = 70
_PARTS = ("bin", "lib", "share")


def image() -> Image:
    """Return the image of the warehouse."""
    programs = postgres.programs()
    folder = DOCKERFILES / NAME
    context = {f"postgres/{part}": programs / part for part in _PARTS}
    context |= {"serve.sh": folder / "serve.sh", "redshift_front.py": Path(redshift_front.__file__)}
    base = base_images.base_image(base_images.SPARK).name  # it has the C++ library, and is in the node for the jobs
    return build_image("warehouse", dockerfile=folder / "Dockerfile", context=context, build_args={"BASE_IMAGE": base})


def deploy(cluster: Provider, *namespaces: str) -> None:
    """Start the warehouse, with its rows in it, and give namespaces the Secrets that open it."""
    built = image()
    cluster.load_image(built)
    readers = [_reader(namespace, secret) for namespace in namespaces for secret in READERS]
    services.apply(cluster.kubeconfig, [*manifests(built.name), *readers])
    services.wait_for_deployment(cluster.kubeconfig, NAMESPACE, NAME)


def _reader(namespace: str, secret: str) -> Manifest:
    keys = {"username": READERS[secret], "password": warehouse.READER_PASSWORD}
    return namespaced("v1", "Secret", namespace, secret, stringData=keys)


def manifests(image_name: str) -> list[Manifest]:
    """Return the warehouse's objects; what it holds goes with its Pod, and is the same in the next one."""
    ports = [{"name": name, "port": port} for name, port in PORTS.items()]
    return [
        namespace_named(NAMESPACE),
        namespaced("v1", "Secret", NAMESPACE, NAME, stringData=_files()),
        service(NAMESPACE, NAME, app=NAME, ports=ports),
        deployment(NAMESPACE, NAME, _pod(image_name)),
    ]


def _files() -> dict[str, str]:
    statements = (
        warehouse.CREATE_ORDERS,
        warehouse.FILL_ORDERS,
        warehouse.CREATE_BEHAVIOR,
        warehouse.FILL_BEHAVIOR,
        warehouse.GETDATE,
        warehouse.roles(postgres.REDSHIFT_ROLE),
    )
    return {
        "password": postgres.PASSWORD,
        "pg_hba.conf": postgres.PLAIN_PASSWORDS + "host all all all scram-sha-256\n",
        "database.sql": f"CREATE DATABASE {postgres.DATABASE};\n\n",
        "data.sql": "\n\n".join(each.strip() for each in statements) + "\n\n",
    }


def _pod(image_name: str) -> dict[str, Any]:
    settings = {**postgres.SETTINGS, "listen_addresses": "*", "port": str(PORTS["postgres"])}
    container = {
        "name": NAME,
        "image": image_name,
        "args": postgres.as_options(settings),
        "ports": [{"name": name, "containerPort": port} for name, port in PORTS.items()],
        "readinessProbe": {"tcpSocket": {"port": PORTS["redshift"]}, "periodSeconds": 1},
        "securityContext": locked_down(),
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "files", "mountPath": "/etc/warehouse", "readOnly": True},
        ],
    }
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 2,
        "securityContext": {"runAsUser": _UID, "runAsGroup": _UID, "fsGroup": _UID, "runAsNonRoot": True},
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "files", "secret": {"secretName": NAME}}],
    }
