"""What may be written as source.rest, what the namespace must be allowed for it, and which keys its Secret has."""

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse_api.ingest_pipeline import Source
from lakehouse_api.sources.rest import RestSource

CRM: dict[str, Any] = {"url": "https://api.hubapi.com", "flavor": "hubspot", "object": "contacts"}
ECB: dict[str, Any] = {"url": "https://data-api.ecb.europa.eu/service/data/EXR/D..EUR.SP00.A", "flavor": "ecb"}
GENERIC: dict[str, Any] = {"url": "https://api.example.com:8443/v1/things", "flavor": "generic"}
GRANT = {"oauth2ClientCredentials": {"tokenUrl": "https://login.example.com/token"}}
SECRET = {"secretRef": {"name": "api"}}


@pytest.mark.parametrize(
    "document",
    [
        CRM,
        ECB,
        GENERIC,
        {**CRM, "deleted": "Omit", "fields": {"Id": "id"}},
        {**ECB, "parameters": {"format": "csvdata"}},
        {**ECB, "url": "https://data-api.ecb.europa.eu/service/data/EXR/D.USD+GBP.EUR.SP00.A"},
        {**GENERIC, "records": "/a/b", "pagination": {"style": "Link"}, "window": {"after": "since"}},
    ],
)
def test_what_makes_sense_is_taken(document: dict[str, Any]) -> None:
    told = RestSource.model_validate(document)

    assert RestSource.model_validate(told.document()) == told


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "https://user:word@api.example.com/",
        "https://api.example.com/../secret",
        "https://api.example.com/a/./b",
        "https://api.example.com/%2e%2e/b",
        "https://api.example.com/a?x=1",
        "https://api.example.com/a#b",
        "https://api.example.com/*",
        "https://api.example.com\\@evil.example/",
        "https://api.example.com/a\n",
        "https:///a",
    ],
)
def test_a_url_names_one_host_and_one_path(url: str) -> None:
    with pytest.raises(ValidationError):
        RestSource.model_validate({**GENERIC, "url": url})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({**CRM, "object": None}, "object is needed"),
        ({**ECB, "object": "x"}, "object is needed"),
        ({**GENERIC, "deleted": "Omit"}, "deleted is for"),
        ({**CRM, "pagination": {"style": "Link"}}, "for generic"),
        ({**CRM, "parameters": {"a": "b"}}, "parameters are for"),
        ({**ECB, "fields": {"rate": "x"}}, "remove fields"),
        ({**CRM, "object": "Contact WHERE x"}, "pattern"),
        ({**CRM, "fields": {"Id": "Id, Secret__c"}}, "pattern"),
        ({**CRM, "lag": "0s"}, "greater than or equal"),
    ],
)
def test_what_contradicts_itself_is_refused_in_words(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        RestSource.model_validate(document)


def test_both_addresses_must_be_allowed_and_a_host_cannot_be_the_beginning_of_another() -> None:
    source = RestSource.model_validate({**CRM, "auth": GRANT, "credentials": SECRET})

    assert source.addresses == {
        "url": "https://api.hubapi.com/",
        "auth.oauth2ClientCredentials.tokenUrl": "https://login.example.com/token",
    }


@pytest.mark.parametrize(
    ("more", "variables"),
    [
        ({}, []),
        ({"credentials": SECRET}, ["LAKEHOUSE_SOURCE_TOKEN"]),
        (
            {"credentials": SECRET, "auth": GRANT},
            ["LAKEHOUSE_SOURCE_CLIENT_ID", "LAKEHOUSE_SOURCE_CLIENT_SECRET"],
        ),
    ],
    ids=["nothing", "a token", "a client"],
)
def test_the_job_gets_the_keys_that_it_shows(more: dict[str, Any], variables: list[str]) -> None:
    assert [use.variable for use in RestSource.model_validate({**CRM, **more}).secret_uses] == variables


def test_a_plan_that_was_kept_without_credentials_can_be_read_again() -> None:
    source = Source.model_validate({"rest": {**CRM, "auth": GRANT, "credentials": SECRET}}).without_credentials()

    assert Source.model_validate(source.document()) == source


def test_another_version_of_a_crms_api_has_the_same_records() -> None:
    url = "https://acme.my.salesforce.com/services/data"
    old, new = (
        RestSource.model_validate({**CRM, "flavor": "salesforce", "url": f"{url}/{version}"})
        for version in ("v61.0", "v62.0")
    )

    assert old.identity == new.identity
    assert old.identity != RestSource.model_validate(CRM).identity
