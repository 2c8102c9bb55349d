"""A kubectl for tests of the plugin. What a real one does is tested against a real API server."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import gen

_PROGRAM = """#!/bin/sh
case "$*" in
*annotate*) for each in "$@"; do echo "$each"; done > asked ;;
*) {get} ;;
esac
"""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """Keeps in `asked` what is set, and gives one pipeline."""

    directory: Path

    def install(self, get: str) -> None:
        """Write the program; `get` is the shell that prints pipeline.json, with what was asked for in it."""
        program = self.directory / "kubectl"
        program.write_text(_PROGRAM.format(get=get))
        program.chmod(0o755)

    def give(self, status: dict[str, Any], annotations: dict[str, str] | None = None, **spec: Any) -> None:
        """Set the pipeline that the cluster has."""
        body = gen.pipeline_body("people", **spec)
        body["metadata"]["annotations"] = annotations or {}
        body["status"] = status
        (self.directory / "pipeline.json").write_text(json.dumps(body))
