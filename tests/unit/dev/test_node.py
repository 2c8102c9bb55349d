"""What a node is made of, before it runs: configuration, addresses, the order of its programs."""

import tomllib
from pathlib import Path

import pytest

from lakehouse_dev.cluster import network, programs
from lakehouse_dev.cluster.choice import choose
from lakehouse_dev.cluster.init import Program
from lakehouse_dev.cluster.manifests import BUCKETS, dns, stores
from lakehouse_dev.cluster.programs import NodeFiles
from lakehouse_dev.cluster.provider import Status
from lakehouse_dev.cluster.report import table, usage
from lakehouse_dev.errors import DevError
from lakehouse_dev.waiting import free_ports


@pytest.fixture
def files(tmp_path: Path) -> NodeFiles:
    return NodeFiles(
        name="x-node",
        address="198.18.0.2",
        programs=tmp_path / "programs",
        run=tmp_path / "run",
        containerd_root=tmp_path / "containerd",
        cgroup="lakehouse-x",
        authority=tmp_path / "ca.crt",
        serving_certificate=tmp_path / "kubelet.crt",
        serving_key=tmp_path / "kubelet.key",
        kubelet_kubeconfig=tmp_path / "kubelet.kubeconfig",
        proxy_kubeconfig=tmp_path / "kube-proxy.kubeconfig",
        sandbox_image="localhost/pause:1",
    )


def test_containerd_serves_pods_on_the_node_and_only_its_store_alone(files: NodeFiles, tmp_path: Path) -> None:
    node = tomllib.loads(programs.containerd_config(files))
    alone = tomllib.loads(programs.store_config(files.containerd_root, tmp_path))

    assert node["root"] == alone["root"]
    assert node["plugins"]["io.containerd.grpc.v1.cri"]["sandbox_image"] == "localhost/pause:1"
    assert "io.containerd.grpc.v1.cri" not in node["disabled_plugins"]
    assert "io.containerd.grpc.v1.cri" in alone["disabled_plugins"]


def test_the_kubelet_asks_the_api_server_who_may_do_what(files: NodeFiles) -> None:
    config = programs.kubelet_config(files)

    assert config["authorization"] == {"mode": "Webhook"}
    assert config["authentication"]["anonymous"] == {"enabled": False}


def test_device_names_fit_the_kernel_and_differ_between_clusters() -> None:
    names = {network.device_name(f"a-cluster-with-a-long-name-{number}") for number in range(100)}

    assert len(names) == 100
    assert all(len(name) <= 15 for name in names)


def test_a_program_waits_for_what_it_needs(tmp_path: Path) -> None:
    marker = tmp_path / "ready"
    program = Program(name="p", command=["true"], needs=[str(marker)])
    assert not program.due()

    marker.touch()

    assert program.due()


def test_a_program_waits_for_a_port_that_nobody_listens_on() -> None:
    (port,) = free_ports(1)

    assert not Program(name="p", command=["true"], needs=[f"port:{port}"]).due()


def test_bucket_names_are_valid_for_s3() -> None:
    assert all(3 <= len(bucket) <= 63 for buckets in BUCKETS.values() for bucket in buckets)


def test_no_container_of_the_services_may_gain_privileges() -> None:
    pods = [
        each["spec"]["template"]["spec"]
        for each in [*dns("image"), *stores("image", Path("/data"))]
        if each["kind"] == "Deployment"
    ]
    contexts = [container["securityContext"] for pod in pods for container in pod["containers"]]

    assert len(contexts) == 3
    assert all(context["readOnlyRootFilesystem"] for context in contexts)
    assert all(context["capabilities"]["drop"] == ["ALL"] for context in contexts)


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b"])
def test_a_name_that_could_lead_out_of_the_cache_is_refused(name: str) -> None:
    with pytest.raises(DevError, match="use letters, digits and dashes"):
        choose("native", name)


def test_a_stopped_cluster_is_shown_as_such() -> None:
    assert "stopped" in table(Status(name="x", provider="native", running=False))


def test_a_running_cluster_tells_how_to_use_it() -> None:
    status = Status(
        name="x", provider="native", running=True, kubeconfig=Path("/k"), s3={"east": "http://198.18.0.2:30333"}
    )

    assert "export KUBECONFIG=/k" in usage(status)
    assert "http://198.18.0.2:30333" in usage(status)
