"""The control plane that the other tests of this folder stand on behaves like a cluster's."""

import secrets
import subprocess

import pytest

from lakehouse_dev import tools
from lakehouse_dev.control_plane import ControlPlane
from lakehouse_dev.waiting import wait_until

pytestmark = pytest.mark.apiserver


def kubectl(control_plane: ControlPlane, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = tools.program(tools.KUBERNETES, "kubectl")
    command = [str(program), "--kubeconfig", str(control_plane.kubeconfig), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def namespace(apiserver: ControlPlane) -> str:
    name = f"test-{secrets.token_hex(4)}"
    assert kubectl(apiserver, "create", "namespace", name).returncode == 0
    # The account is there before admission knows of it.
    probe = ("-n", name, "run", "probe", "--image=any", "--dry-run=server")
    wait_until(lambda: kubectl(apiserver, *probe).returncode == 0, what=f"Pods admitted in {name}", timeout=60)
    return name


def test_a_new_namespace_gets_a_service_account_that_can_have_tokens(apiserver: ControlPlane, namespace: str) -> None:
    token = kubectl(apiserver, "-n", namespace, "create", "token", "default").stdout

    assert token.count(".") == 2


def test_nobody_may_do_anything_without_a_role(apiserver: ControlPlane) -> None:
    answer = kubectl(apiserver, "auth", "can-i", "list", "pods", "--as=somebody")

    assert answer.stdout.strip() == "no"


def test_pod_security_refuses_a_privileged_pod(apiserver: ControlPlane, namespace: str) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    kubectl(apiserver, "label", "namespace", namespace, label)

    refused = kubectl(apiserver, "-n", namespace, "run", "root", "--image=any")

    assert "violates PodSecurity" in refused.stderr


def test_objects_outlive_a_restart_of_the_api_server(apiserver: ControlPlane, namespace: str) -> None:
    before = apiserver.process("kube-apiserver").pid

    apiserver.restart_apiserver()

    assert apiserver.process("kube-apiserver").pid != before
    assert kubectl(apiserver, "get", "namespace", namespace).returncode == 0


def test_nothing_is_left_after_stop() -> None:
    with ControlPlane() as control_plane:
        processes = [control_plane.process(name) for name in ("etcd", "kube-apiserver")]
        directory = control_plane.directory

    assert not any(process.alive() for process in processes)
    assert not directory.exists()
