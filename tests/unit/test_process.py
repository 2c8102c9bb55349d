"""The process as a command: what it says before it reaches a cluster, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lakehouse_operator.main import ExitCode


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lakehouse_operator", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump({"lake": {"uri": "s3://lake"}, "spark": {"image": "lakehouse-spark:1"}}))
    return file


def test_help_names_the_options() -> None:
    done = run("--help")

    assert done.returncode == ExitCode.STOPPED
    assert {"--settings", "--kubeconfig", "--namespaces", "--lease-name", "--port"} <= set(done.stdout.split())


def test_settings_that_cannot_be_used_end_it_with_their_own_code(settings: Path) -> None:
    settings.write_text("lake: {}")

    done = run(f"--settings={settings}")

    assert done.returncode == ExitCode.WRONG_SETTINGS
    assert "lake.uri is missing; add it" in json.loads(done.stderr.splitlines()[-1])["message"]


def test_no_way_to_a_cluster_ends_it_and_says_what_to_give(settings: Path, tmp_path: Path) -> None:
    done = run(f"--settings={settings}", f"--kubeconfig={tmp_path / 'none'}")

    assert done.returncode == ExitCode.WRONG_SETTINGS
    assert "cannot be read" in json.loads(done.stderr.splitlines()[-1])["message"]
