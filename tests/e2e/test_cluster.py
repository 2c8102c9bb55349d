"""The dev cluster does for pods what a real one does."""

import json
import secrets
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from lakehouse_dev import s3
from lakehouse_dev.base_images import PYTHON, base_image
from lakehouse_dev.cluster.manifests import BUCKETS
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.cluster.services import kubectl, make_buckets

pytestmark = pytest.mark.e2e

READ_VERSION = """
import ssl, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount/"
request = urllib.request.Request("https://kubernetes.default.svc/version")
request.add_header("Authorization", "Bearer " + open(account + "token").read())
trust = ssl.create_default_context(cafile=account + "ca.crt")
print(urllib.request.urlopen(request, context=trust, timeout=20).read().decode())
"""
GREET_S3 = """
import urllib.error, urllib.request
for region in ("east", "west"):
    try:
        urllib.request.urlopen(f"http://s3-{region}.s3.svc:8333/", timeout=20)
    except urllib.error.HTTPError as refusal:
        print(region, refusal.code)
"""
ASK_NAMES = """
import socket
print(socket.gethostbyname("kubernetes.default.svc.cluster.local"))
try:
    socket.gethostbyname("registry.example.com")
except socket.gaierror as error:
    print(error.errno == socket.EAI_NONAME)
"""

Kubectl = Callable[..., str]


@pytest.fixture
def namespaced(cluster: Provider) -> Iterator[Kubectl]:
    """Return kubectl in a namespace of the test's own."""
    name = f"test-{secrets.token_hex(4)}"
    kubectl(cluster.kubeconfig, "create", "namespace", name)
    yield partial(kubectl, cluster.kubeconfig, "--namespace", name)
    kubectl(cluster.kubeconfig, "delete", "namespace", name, "--wait=false")


@pytest.fixture
def pod(cluster: Provider, namespaced: Kubectl) -> Kubectl:
    """Return kubectl in a namespace in which a pod `worker` with Python runs."""
    image = base_image(PYTHON)
    cluster.load_image(image)
    namespaced("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
    namespaced("run", "worker", f"--image={image.name}", "--", "sh", "-c", "echo started; exec sleep 600")
    namespaced("wait", "--for=condition=Ready", "pod/worker", "--timeout=60s")
    return namespaced


def test_the_only_node_is_ready_and_runs_the_pinned_kubernetes(cluster: Provider) -> None:
    nodes = json.loads(kubectl(cluster.kubeconfig, "get", "nodes", "--output=json"))["items"]

    assert [node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes] == ["v1.34.4"]
    assert cluster.status().node_ready


def test_a_pod_resolves_services_and_learns_at_once_that_other_names_do_not_exist(pod: Kubectl) -> None:
    assert pod("exec", "worker", "--", "python3", "-c", ASK_NAMES).split() == ["10.96.0.1", "True"]


def test_a_pod_reaches_the_api_server_through_its_service_with_its_own_token(pod: Kubectl) -> None:
    version = json.loads(pod("exec", "worker", "--", "python3", "-c", READ_VERSION))

    assert version["gitVersion"] == "v1.34.4"


def test_both_s3_regions_answer_a_pod_and_refuse_strangers(pod: Kubectl) -> None:
    assert pod("exec", "worker", "--", "python3", "-c", GREET_S3).splitlines() == ["east 403", "west 403"]


def test_what_a_pod_prints_is_in_its_logs(pod: Kubectl) -> None:
    assert pod("logs", "worker") == "started\n"


def test_a_pod_that_exceeds_its_memory_is_killed_for_it(cluster: Provider, namespaced: Kubectl) -> None:
    image = base_image(PYTHON)
    cluster.load_image(image)
    namespaced("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
    limits = {"resources": {"limits": {"memory": "32Mi"}}}
    container = {"name": "hog", "image": image.name, "command": ["python3", "-c", "bytearray(1 << 29)"], **limits}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "hog"},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    namespaced("create", "--filename=-", stdin=json.dumps(manifest))

    namespaced("wait", "--for=jsonpath={.status.phase}=Failed", "pod/hog", "--timeout=60s")

    path = "{.status.containerStatuses[0].state.terminated.reason}"
    assert namespaced("get", "pod", "hog", f"--output=jsonpath={path}") == "OOMKilled"


def test_buckets_exist_and_take_objects_from_this_machine(cluster: Provider) -> None:
    for region, endpoint in cluster.status().s3.items():
        client = s3.client(endpoint)
        assert {bucket["Name"] for bucket in client.list_buckets()["Buckets"]} >= set(BUCKETS[region])
        client.put_object(Bucket=BUCKETS[region][0], Key="test/hello", Body=b"hello")
        client.delete_object(Bucket=BUCKETS[region][0], Key="test/hello")


def test_a_stopped_store_has_kept_its_objects_when_it_is_back(cluster: Provider) -> None:
    client = s3.client(cluster.status().s3["west"])
    client.put_object(Bucket="lake-dr", Key="test/kept", Body=b"kept")
    scale = partial(kubectl, cluster.kubeconfig, "--namespace=s3", "scale", "deployment/s3-west", "--timeout=60s")

    scale("--replicas=0")
    kubectl(cluster.kubeconfig, "--namespace=s3", "wait", "--for=delete", "pod", "--selector=app=s3-west")
    scale("--replicas=1")
    make_buckets("west", cluster.status().s3["west"])

    assert client.get_object(Bucket="lake-dr", Key="test/kept")["Body"].read() == b"kept"


def test_starting_a_running_cluster_again_changes_nothing(cluster: Provider) -> None:
    before = kubectl(cluster.kubeconfig, "get", "pods", "--all-namespaces", "--output=name", "--selector=app")

    cluster.up()

    assert kubectl(cluster.kubeconfig, "get", "pods", "--all-namespaces", "--output=name", "--selector=app") == before
