"""What this process is told from outside: the environment's settings document, and its own options."""

import argparse
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from lakehouse_operator.core.config import Config

_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_ALL = "*"


class SettingsError(Exception):
    """The settings cannot be used; the message says which field, its value, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How this process runs; nothing here changes what is decided about a resource."""

    settings: Path
    kubeconfig: Path | None
    namespaces: tuple[str, ...]
    """The namespaces that are served; none: all."""
    identity: str
    lease_name: str
    lease_namespace: str
    host: str
    port: int
    workers: int
    log_level: str


def parse_options(arguments: Sequence[str] | None, environment: Mapping[str, str] = os.environ) -> Options:
    """Read the command line, with the environment as its default; ends the process with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="lakehouse-operator",
        description="Runs the lakehouse's resources: reconciles them and launches their Spark applications.",
        epilog="Every option may also be given as LAKEHOUSE_<OPTION>, such as LAKEHOUSE_LEASE_NAME.",
    )
    for flags, default, text in _options():
        name = flags.removeprefix("--").replace("-", "_").upper()
        parser.add_argument(flags, default=environment.get(f"LAKEHOUSE_{name}", default), help=text)
    return _checked(parser, parser.parse_args(arguments))


def _options() -> list[tuple[str, str | None, str]]:
    return [
        ("--settings", None, "YAML document with the environment's settings; required"),
        ("--kubeconfig", None, "kubeconfig file; default: the Pod's service account, KUBECONFIG, ~/.kube/config"),
        ("--namespaces", _ALL, "namespaces to serve, separated by commas; * is all of them (default: *)"),
        ("--identity", f"{socket.gethostname()}-{os.getpid()}", "name in the Lease; in a cluster, the Pod's name"),
        ("--lease-name", "lakehouse-operator", "Lease that elects the leader (default: lakehouse-operator)"),
        ("--lease-namespace", _own_namespace(), "namespace of the Lease (default: the Pod's own, or default)"),
        ("--host", "0.0.0.0", "address of the HTTP server (default: all)"),  # noqa: S104 - the kubelet asks from outside
        ("--port", "8080", "port of /healthz, /readyz and /metrics; 0 picks a free one (default: 8080)"),
        ("--workers", "16", "resources reconciled at the same time (default: 16)"),
        ("--log-level", "INFO", "DEBUG, INFO, WARNING or ERROR (default: INFO)"),
    ]


def _own_namespace() -> str:
    return _POD_NAMESPACE.read_text().strip() if _POD_NAMESPACE.exists() else "default"


def _checked(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Options:
    if not given.settings:
        parser.error("--settings (or LAKEHOUSE_SETTINGS) must name the settings document")
    if given.log_level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        parser.error(f"--log-level {given.log_level!r} is not one of DEBUG, INFO, WARNING, ERROR")
    names = [name.strip() for name in given.namespaces.split(",") if name.strip()]
    if not names:
        parser.error("--namespaces is empty; name some, or * for all")
    return Options(
        settings=Path(given.settings),
        kubeconfig=Path(given.kubeconfig) if given.kubeconfig else None,
        namespaces=() if _ALL in names else tuple(names),
        identity=given.identity,
        lease_name=given.lease_name,
        lease_namespace=given.lease_namespace,
        host=given.host,
        port=_number(parser, "--port", given.port, 0, 65535),
        workers=_number(parser, "--workers", given.workers, 1, 256),
        log_level=given.log_level,
    )


def _number(parser: argparse.ArgumentParser, option: str, text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        parser.error(f"{option} {text!r} is not a number from {least} to {most}")
    return int(text)


def read_config(path: Path) -> Config:
    """Read the settings document.

    Raises:
        SettingsError: it is missing, is not YAML, or does not fit; every field that is wrong is named.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"settings {path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"settings {path} must be a YAML mapping with lake, spark, ...; it is {document!r}")
    return _parse(path, document)


def _parse(path: Path, document: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(document)
    except ValidationError as error:
        found = "; ".join(_told(dict(problem)) for problem in error.errors(include_url=False, include_context=False))
        raise SettingsError(f"settings {path}: {found}") from error


def _told(problem: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{place} is not a setting; check its spelling, or remove it"
    if problem["type"] == "missing":
        return f"{place} is missing; add it"
    return f"{place} is {problem['input']!r}: {problem['msg']}"
