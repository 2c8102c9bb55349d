"""The cluster of commands that are typed here."""

from pathlib import Path

import pytest

from lakehouse_operator.cli import waiting
from tests.unit.cli.kubectl import Kubectl


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    """Put a kubectl of the test's own first on the path; nobody waits long between two looks."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(waiting, "EVERY", 0.01)
    return Kubectl(directory=tmp_path)
