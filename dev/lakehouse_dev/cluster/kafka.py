"""The topic of the demo as a Pod: one broker, in which READER may log in, with the events of `kafka_events` in it."""

from typing import Any

from lakehouse_dev import base_images, kafka, kafka_events
from lakehouse_dev.cluster import services
from lakehouse_dev.cluster.manifests import Manifest, deployment, locked_down, namespace_named, namespaced, service
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.image_store import Image
from lakehouse_dev.images import build_image
from lakehouse_dev.kafka import Listener

NAMESPACE = "kafka"
NAME = "kafka"
PORT = 9094
SECRET = "kafka-events"
"""What the example calls the Secret of the user that it logs in as."""

READER, READER_PASSWORD = "events-reader", "lakehouse-dev-kafka"
_INSIDE = Listener(name="INSIDE", port=9092)
_CONTROLLER = Listener(name="CONTROLLER", port=9093)
_UID = 65535


def image() -> Image:
    """Return the image of the broker."""
    context = {f"lib/{jar.name}": jar for jar in sorted(kafka.programs().glob("*.jar"))}
    context |= {name: kafka.SOURCES / name for name in ("log4j2.properties", "start")}
    base = base_images.base_image(base_images.SPARK).name
    return build_image(NAME, dockerfile=kafka.SOURCES / "Dockerfile", context=context, build_args={"BASE_IMAGE": base})


def deploy(cluster: Provider, *namespaces: str) -> None:
    """Start the broker, with its messages in it, and give namespaces the Secret that opens it."""
    built = image()
    cluster.load_image(built)
    keys = {"username": READER, "password": READER_PASSWORD}
    readers = [namespaced("v1", "Secret", each, SECRET, stringData=keys) for each in namespaces]
    services.apply(cluster.kubeconfig, [*manifests(built.name), *readers])
    services.wait_for_deployment(cluster.kubeconfig, NAMESPACE, NAME)


def manifests(image_name: str) -> list[Manifest]:
    """Return the broker's objects; what it holds goes with its Pod, and is the same in the next one."""
    ports = [{"name": "kafka", "port": PORT}]
    return [
        namespace_named(NAMESPACE),
        namespaced(
            "v1", "Secret", NAMESPACE, NAME, stringData={"server.properties": _settings(), "messages": _messages()}
        ),
        service(NAMESPACE, NAME, app=NAME, ports=ports),
        deployment(NAMESPACE, NAME, _pod(image_name)),
    ]


def _settings() -> str:
    outside = Listener(
        name="OUTSIDE",
        port=PORT,
        protocol="SASL_PLAINTEXT",
        bind="0.0.0.0",
        advertised=f"{NAME}.{NAMESPACE}.svc.cluster.local",
    )
    values = kafka.settings((_INSIDE, outside), _CONTROLLER, "/data/log")
    return kafka.as_properties(values | kafka.logins(outside))


def _messages() -> str:
    lines = (f"{each.key}\t{'<null>' if each.value is None else each.value}" for each in kafka_events.events().messages)
    return "".join(f"{line}\n" for line in lines)


def _pod(image_name: str) -> dict[str, Any]:
    environment = {
        "CLUSTER_ID": kafka.CLUSTER_ID,
        "BOOTSTRAP": _INSIDE.address,
        "TOPIC": kafka_events.TOPIC,
        "READER": READER,
        "READER_PASSWORD": READER_PASSWORD,
    }
    container = {
        "name": NAME,
        "image": image_name,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "ports": [{"name": "kafka", "containerPort": PORT}],
        "readinessProbe": {"exec": {"command": ["test", "-e", "/data/filled"]}, "periodSeconds": 1},
        "securityContext": locked_down(),
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "files", "mountPath": "/etc/kafka", "readOnly": True},
        ],
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 2,
        "securityContext": {"runAsUser": _UID, "runAsGroup": _UID, "fsGroup": _UID, "runAsNonRoot": True},
        "containers": [container],
        "volumes": [
            {"name": "data", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "files", "secret": {"secretName": NAME}},
        ],
    }
