"""How this process reaches the API server: a kubeconfig file, or the service account of its own Pod."""

import base64
import binascii
import os
import ssl
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_LIFETIME_SECONDS = 60
"""How long a token is used before its file is read again: the kubelet replaces it well before it expires."""


class AccessError(Exception):
    """There is no usable way to the API server; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """The API server and what proves who we are to it. PEM documents are text."""

    server: str
    authority: str | None = None
    insecure: bool = False
    server_name: str | None = None
    certificate: str | None = None
    private_key: str | None = None
    token: str | None = None
    token_file: Path | None = None

    def ssl_context(self) -> ssl.SSLContext:
        """Make the TLS side of every connection."""
        context = ssl.create_default_context(cadata=self.authority)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate and self.private_key:
            _load_pair(context, self.certificate, self.private_key)
        return context

    def bearer(self) -> str | None:
        """Read the token as it is now."""
        return self.token_file.read_text().strip() if self.token_file else self.token


class Bearer:
    """The authorization header, with a token file read again every minute."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._headers: dict[str, str] = {}
        self._until = float("-inf")

    def headers(self) -> dict[str, str]:
        """Give the headers that carry the token; none with a client certificate."""
        if time.monotonic() >= self._until:
            token = self._access.bearer()
            self._headers = {"Authorization": f"Bearer {token}"} if token else {}
            self._until = time.monotonic() + TOKEN_LIFETIME_SECONDS
        return self._headers

    def forget(self) -> None:
        """Read the token again at the next call, because the server refused this one."""
        self._until = float("-inf")


def find_access(kubeconfig: Path | None, environment: Mapping[str, str] = os.environ) -> Access:
    """Find the way to the API server: the named kubeconfig, the Pod's account, or the user's own kubeconfig.

    Raises:
        AccessError: there is none, or the one found cannot be used.
    """
    if kubeconfig is not None:
        return read_kubeconfig(kubeconfig)
    if "KUBERNETES_SERVICE_HOST" in environment and (SERVICE_ACCOUNT / "token").exists():
        return _of_pod(environment)
    named = environment.get("KUBECONFIG", "").split(os.pathsep)[0]
    path = Path(named) if named else Path.home() / ".kube" / "config"
    if not path.exists():
        raise AccessError(f"not in a Pod and no kubeconfig at {path}: name one with --kubeconfig or KUBECONFIG")
    return read_kubeconfig(path)


def _of_pod(environment: Mapping[str, str]) -> Access:
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    return Access(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        authority=(SERVICE_ACCOUNT / "ca.crt").read_text(),
        token_file=SERVICE_ACCOUNT / "token",
    )


def read_kubeconfig(path: Path) -> Access:
    """Read the current context of a kubeconfig file.

    Raises:
        AccessError: the file is missing or wrong, or its user logs in by a program.
    """
    try:
        document = yaml.safe_load(path.read_text())
        context = _named(document, "contexts", "context", document["current-context"])
        cluster = _named(document, "clusters", "cluster", context["cluster"])
        user = _named(document, "users", "user", context["user"])
        server = cluster["server"].rstrip("/")
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"kubeconfig {path} cannot be read: {error}") from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise AccessError(f"kubeconfig {path} is not valid: {type(error).__name__} {error}") from error
    if "exec" in user or "auth-provider" in user:
        raise AccessError(f"kubeconfig {path}: user {context['user']!r} logs in by a program; use a token instead")
    token_file = user.get("tokenFile")
    return Access(
        server=server,
        authority=_pem(path, cluster, "certificate-authority"),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        server_name=cluster.get("tls-server-name"),
        certificate=_pem(path, user, "client-certificate"),
        private_key=_pem(path, user, "client-key"),
        token=user.get("token"),
        token_file=path.parent / token_file if token_file else None,
    )


def _named(document: Mapping[str, Any], section: str, field: str, name: str) -> Mapping[str, Any]:
    entries = (entry[field] for entry in document.get(section) or () if entry["name"] == name)
    found: Mapping[str, Any] | None = next(entries, None)
    if found is None:
        raise KeyError(f"{section} has no entry {name!r}")
    return found


def _pem(path: Path, section: Mapping[str, Any], field: str) -> str | None:
    """Give a document that is in the kubeconfig itself, or in a file named relative to it."""
    try:
        if data := section.get(f"{field}-data"):
            return base64.b64decode(data, validate=True).decode()
        if name := section.get(field):
            return (path.parent / str(name)).read_text()
    except (OSError, binascii.Error, UnicodeDecodeError) as error:
        raise AccessError(f"kubeconfig {path}: {field} cannot be read: {error}") from error
    return None


def _load_pair(context: ssl.SSLContext, certificate: str, private_key: str) -> None:
    """Load a client certificate; the ssl module takes it from a file only, so it is on disk for a moment."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
        pair.write(f"{certificate}\n{private_key}\n")
        pair.flush()
        context.load_cert_chain(pair.name)
