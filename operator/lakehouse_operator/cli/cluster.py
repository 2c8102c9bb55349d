"""Asking a cluster, through the kubectl whose plugin this is: it knows the context and how to log in."""

import json
import subprocess
from typing import Any

from lakehouse_api.kinds import DATA_CONTRACT, GROUP
from lakehouse_operator.cli.errors import InputError


def get_contract(name: str, *, namespace: str | None, context: str | None) -> dict[str, Any]:
    """Give a DataContract as the cluster has it.

    Raises:
        InputError: kubectl is missing, or the cluster does not give it; what kubectl says is in the message.
    """
    where = [*(["--namespace", namespace] if namespace else []), *(["--context", context] if context else [])]
    command = ["kubectl", *where, "get", f"{DATA_CONTRACT.plural}.{GROUP}", name, "--output=json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise InputError("kubectl is not on the PATH; this command asks the cluster through it") from error
    if done.returncode:
        raise InputError(f"the cluster was asked for {DATA_CONTRACT.kind} {name!r}: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
