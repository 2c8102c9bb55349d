"""The web APIs of the dev package on loopback, behind TLS of an authority that only the tests trust."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.sources.rest import RestSource
from lakehouse_dev.certificates import Authority
from lakehouse_dev.web.crm import Crm
from lakehouse_dev.web.oauth import CLIENT_ID, CLIENT_SECRET
from lakehouse_dev.web.server import Server, World, tls_of
from lakehouse_jobs.ingest.sources.rest import client

IMPATIENT = client.Patience(connect=2, read=2, attempts=3, first_wait=0.01, longest_wait=0.05, wait_asked_for=2)


@dataclass(frozen=True, kw_only=True)
class Apis:
    server: Server
    authority: Authority

    @property
    def world(self) -> World:
        return self.server.world

    def source(self, flavor: str, path: str = "", **more: Any) -> dict[str, Any]:
        """Give a source of this server; CRMs get the client's credentials."""
        document = {"url": f"{self.server.url}{path}", "flavor": flavor, **more}
        if "object" not in more:
            return document
        grant = {"oauth2ClientCredentials": {"tokenUrl": f"{self.server.url}/services/oauth2/token"}}
        return {"auth": grant, "credentials": {"secretRef": {"name": "crm-api"}}, **document}

    def salesforce(self, name: str = "Contact", **more: Any) -> dict[str, Any]:
        return self.source("salesforce", "/services/data/v62.0", object=name, **more)

    def hubspot(self, name: str = "contacts", **more: Any) -> dict[str, Any]:
        return self.source("hubspot", object=name, **more)


@contextmanager
def web_apis(directory: Path, *, size: int = 100) -> Iterator[Apis]:
    """Serve a fresh world."""
    authority = Authority.create(directory / "pki")
    pair = authority.server("web", names=("localhost",))
    tls = tls_of(str(pair.certificate), str(pair.key))
    with Server(world=World(crm=Crm(size=size)), tls=tls) as server:
        yield Apis(server=server, authority=authority)


def trust(monkeypatch: pytest.MonkeyPatch, apis: Apis) -> None:
    """Trust the authority, know the client's secret, and be impatient."""
    monkeypatch.setenv("SSL_CERT_FILE", str(apis.authority.path))
    monkeypatch.setenv("LAKEHOUSE_SOURCE_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("LAKEHOUSE_SOURCE_CLIENT_SECRET", CLIENT_SECRET)
    monkeypatch.setattr(client, "PATIENCE", IMPATIENT)


def rest(document: dict[str, Any]) -> RestSource:
    return RestSource.model_validate(document)
