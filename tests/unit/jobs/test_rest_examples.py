"""The examples' web APIs hold what the demo counts: their contracts refuse just the records that were spoiled."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from lakehouse_api.run import ContractSnapshot
from lakehouse_api.sources.rest import Flavor, RestSource
from lakehouse_dev.web.ecb import CURRENCIES
from lakehouse_jobs.contract.schema import Contract, read_contract
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.ingest.sources.rest.api import Api, Window
from lakehouse_jobs.ingest.sources.rest.client import Client
from lakehouse_jobs.ingest.sources.rest.ecb import Ecb
from lakehouse_jobs.ingest.sources.rest.hubspot import HubSpot
from lakehouse_jobs.ingest.sources.rest.salesforce import Salesforce
from lakehouse_jobs.ingest.sources.rest.tokens import tokens_of
from tests.web_apis import Apis, trust, web_apis

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def apis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apis]:
    with web_apis(tmp_path, size=1_000) as apis:
        trust(monkeypatch, apis)
        yield apis


def example(name: str, apis: Apis) -> tuple[RestSource, Mapping[str, Any]]:
    """Read an example's source, on loopback instead of in the cluster, and its contract's schema."""
    text = (EXAMPLES / f"{name}_pipeline.yaml").read_text()
    for host in ("salesforce", "hubspot", "ecb"):
        text = text.replace(f"https://{host}.web.svc.cluster.local", apis.server.url)
    contract, pipeline = yaml.safe_load_all(text)
    return RestSource.model_validate(pipeline["spec"]["source"]["rest"]), contract["spec"]["schema"]


def opened(source: RestSource, contract: Contract) -> Api:
    client = Client(tokens_of(source, SourceCredentials()))
    renamed = source.fields or {}
    wanted = {field.name: renamed.get(field.name, field.name) for field in contract.fields}
    if source.flavor is Flavor.ECB:
        return Ecb(source, client)
    if source.flavor is Flavor.HUBSPOT:
        return HubSpot(source, client, wanted, contract)
    return Salesforce(source, client, wanted)


def verdicts(name: str, apis: Apis) -> list[bool]:
    source, schema = example(name, apis)
    contract = read_contract(ContractSnapshot(name=name, version="v", schema_=dict(schema)))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    pages = opened(source, contract).pages(Window())
    return [validator.is_valid(json.loads(record.row)) for page in pages for record in page]


@pytest.mark.parametrize("name", ["contacts", "opportunities"])
def test_the_contract_refuses_the_spoiled_records_of_the_crm(name: str, apis: Apis) -> None:
    found, counts = verdicts(f"crm_{name}", apis), apis.world.crm.counts(name)

    assert counts.refused
    assert (sum(found), len(found)) == (counts.accepted, counts.records)


def test_the_contract_takes_every_rate(apis: Apis) -> None:
    found = verdicts("fx_rates", apis)

    assert sum(found) == len(found) == len(apis.world.ecb.days) * len(CURRENCIES)
