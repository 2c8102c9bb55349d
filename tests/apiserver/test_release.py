"""Uninstalling: the command of the chart's hook ends whoever leads and lets every driver Pod go."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.core import names
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.handlers.lease import Elector, LeadershipLostError
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import PODS
from tests.apiserver.world import pod, temporary_namespace


def _release(kubeconfig: Path, namespace: str) -> subprocess.CompletedProcess[str]:
    options = {
        "settings": "not-read.yaml",
        "kubeconfig": kubeconfig,
        "identity": "uninstall",
        "lease-name": "operator",
        "lease-namespace": namespace,
        "namespaces": namespace,
    }
    flags = [f"--{option}={value}" for option, value in options.items()]
    command = [sys.executable, "-m", "lakehouse_operator.handlers.release", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def _create_driver(client: Client, namespace: str, name: str, *finalizers: str) -> None:
    manifest = pod(name)
    manifest["metadata"]["labels"] = {names.MANAGED_BY: names.FIELD_MANAGER, "spark-role": "driver"}
    manifest["metadata"]["finalizers"] = list(finalizers)
    await client.create(PODS, namespace, manifest)


async def _finalizers(client: Client, namespace: str, name: str) -> list[str]:
    found = await client.get(PODS, namespace, name)
    return list(found["metadata"].get("finalizers") or ())


async def test_the_hook_ends_the_leader_and_releases_every_driver(apiserver: ControlPlane, client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        leader = Elector(client=client, namespace=namespace, name="operator", identity="leader", clock=utc_now)
        await leader.acquire()
        leading = asyncio.create_task(leader.hold())
        await _create_driver(client, namespace, "held", names.DRIVER_FINALIZER, "example.org/other")
        await _create_driver(client, namespace, "free")

        done = await asyncio.to_thread(_release, apiserver.kubeconfig, namespace)

        assert done.returncode == 0, done.stderr
        assert "released 1 driver Pods" in done.stderr
        assert await _finalizers(client, namespace, "held") == ["example.org/other"]
        with pytest.raises(LeadershipLostError):
            await leading
        assert not leader.leads


def test_the_hook_says_why_it_could_not_do_its_work(tmp_path: Path) -> None:
    done = _release(tmp_path / "missing.kubeconfig", "default")

    assert done.returncode == 1
    assert "cannot be read" in done.stderr
