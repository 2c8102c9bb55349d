"""Asking a cluster, through the kubectl whose plugin this is: it knows the context and how to log in."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lakehouse_api.kinds import DATA_CONTRACT, GROUP, Kind
from lakehouse_operator.cli.errors import InputError


def get_contract(name: str, *, namespace: str | None, context: str | None) -> dict[str, Any]:
    """Give a DataContract as the cluster has it.

    Raises:
        InputError: kubectl is missing, or the cluster does not give it; what kubectl says is in the message.
    """
    return Cluster(namespace=namespace, context=context).get(DATA_CONTRACT, name)


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where kubectl looks; None: as its context says."""

    namespace: str | None
    context: str | None

    def get(self, kind: Kind, name: str) -> dict[str, Any]:
        """Give an object; raise InputError if the cluster does not."""
        found: dict[str, Any] = json.loads(self._kubectl("get", kind, name, "--output=json"))
        return found

    def annotate(self, kind: Kind, name: str, annotations: Mapping[str, str]) -> None:
        """Set annotations, all at once; raise InputError if the cluster does not let."""
        values = [f"{key}={value}" for key, value in annotations.items()]
        self._kubectl("annotate", kind, name, *values, "--overwrite")

    def _kubectl(self, verb: str, kind: Kind, name: str, *arguments: str) -> str:
        where = [f"--namespace={self.namespace}"] if self.namespace else []
        where += [f"--context={self.context}"] if self.context else []
        command = ["kubectl", *where, verb, f"{kind.plural}.{GROUP}", name, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise InputError("kubectl is not on the PATH; this command asks the cluster through it") from error
        if done.returncode:
            raise InputError(f"the cluster was asked for {kind.kind} {name!r}: {done.stderr.strip()}")
        return done.stdout
