"""Kubeconfig files: how a program reaches one API server as one user."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse_dev.certificates import KeyPair


@dataclass(frozen=True, kw_only=True)
class Access:
    """The API server's URL, the authority that signed its certificate, and the user's certificate."""

    server: str
    authority: Path
    user: KeyPair
    name: str = "lakehouse"

    def write(self, path: Path) -> Path:
        """Write a self-contained kubeconfig, readable by its owner only; replaced as a whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(self.document(), indent=1))  # JSON is YAML: every client reads it
        return fresh.replace(path)

    def document(self) -> dict[str, Any]:
        """Return the kubeconfig as a document."""
        cluster = {"server": self.server, "certificate-authority-data": _embedded(self.authority)}
        user = {
            "client-certificate-data": _embedded(self.user.certificate),
            "client-key-data": _embedded(self.user.key),
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self.name, "cluster": cluster}],
            "users": [{"name": self.name, "user": user}],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": self.name}}],
            "current-context": self.name,
        }


def _embedded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
