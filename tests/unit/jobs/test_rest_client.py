"""What goes wrong between a job and an API over TLS: what is tried again, what is not, and what the reason is."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from lakehouse_api.run import ExitCode
from lakehouse_dev.certificates import Authority
from lakehouse_dev.waiting import free_ports
from lakehouse_dev.web.faults import CloseHalfway, Do, Fault, Refuse, Repeat, Spoil, Wait
from lakehouse_dev.web.oauth import CLIENT_SECRET
from lakehouse_jobs.credentials import SourceCredentials
from lakehouse_jobs.failures import JobError
from lakehouse_jobs.ingest.sources.rest import client as clients
from lakehouse_jobs.ingest.sources.rest.api import Window
from lakehouse_jobs.ingest.sources.rest.client import Client, Patience
from lakehouse_jobs.ingest.sources.rest.extraction import distinct
from lakehouse_jobs.ingest.sources.rest.salesforce import Salesforce
from lakehouse_jobs.ingest.sources.rest.tokens import tokens_of
from tests.web_apis import Apis, rest, trust, web_apis

ALWAYS = 99


@pytest.fixture
def apis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apis]:
    with web_apis(tmp_path) as apis:
        trust(monkeypatch, apis)
        apis.world.salesforce.page = 30
        yield apis


def client_of(apis: Apis, **more: Any) -> Client:
    return Client(tokens_of(rest(apis.salesforce(**more)), SourceCredentials()))


def read(apis: Apis, client: Client | None = None, **more: Any) -> int:
    """Read all contacts and count them."""
    source = rest(apis.salesforce(**more))
    api = Salesforce(source, client or Client(tokens_of(source, SourceCredentials())), {"Id": "Id"})
    return sum(len(page) for page in distinct(api.pages(Window()), apis.server.url))


def failure(apis: Apis, client: Client | None = None, **more: Any) -> JobError:
    with pytest.raises(JobError) as caught:
        read(apis, client, **more)
    return caught.value


PASSING = [
    pytest.param(Refuse(status=429, headers={"Retry-After": "1"}), id="too many requests, wait a second"),
    pytest.param(Refuse(status=429), id="too many requests"),
    pytest.param(Refuse(status=500), id="an error of the server"),
    pytest.param(Refuse(status=503, headers={"Retry-After": "0"}), id="maintenance"),
    pytest.param(CloseHalfway(), id="closed halfway"),
    pytest.param(Wait(seconds=4), id="no answer in time"),
    pytest.param(Spoil(change=lambda body: body + b"oops"), id="JSON with garbage behind it"),
    pytest.param(Spoil(change=lambda body: body[: len(body) // 2]), id="half a JSON document"),
    pytest.param(Spoil(change=lambda _: b"<html>busy</html>"), id="a page of HTML"),
    pytest.param(Spoil(change=lambda _: b'{"done": true}'), id="JSON without records"),
]


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_within_the_run_costs_no_record(apis: Apis, fault: Fault) -> None:
    apis.world.faults.plan(fault, first=2, last=2)

    assert read(apis) == apis.world.crm.size


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(Refuse(status=429), "SourceThrottled", id="a storm of 429"),
        pytest.param(
            Refuse(status=403, body='[{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]'), "SourceThrottled", id="limit"
        ),
        pytest.param(Refuse(status=500), "SourceUnavailable", id="an outage"),
        pytest.param(CloseHalfway(), "SourceUnavailable", id="always closed halfway"),
        pytest.param(Spoil(change=lambda body: body + b" x"), "SourceMalformed", id="always followed by garbage"),
        pytest.param(Repeat(), "SourceRepeats", id="the same page without end"),
        pytest.param(Refuse(status=403), "AccessDenied", id="forbidden"),
    ],
)
def test_what_does_not_pass_is_left_to_the_next_attempt_with_its_reason(apis: Apis, fault: Fault, reason: str) -> None:
    apis.world.faults.plan(fault, first=2, last=ALWAYS)

    error = failure(apis)

    assert (error.reason, error.code) == (reason, ExitCode.UNAVAILABLE)
    assert apis.server.url in error.message


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Refuse(status=400, body='[{"errorCode": "INVALID_FIELD"}]'), id="a field that is not there"),
        pytest.param(Refuse(status=404), id="a URL that is not there"),
        pytest.param(Refuse(status=302, headers={"Location": "https://evil.example/"}), id="a redirect"),
    ],
)
def test_what_a_person_must_correct_is_not_tried_again(apis: Apis, fault: Fault) -> None:
    apis.world.faults.plan(fault, last=ALWAYS)

    error = failure(apis)

    assert (error.reason, error.code) == ("SourceRefused", ExitCode.SPEC_WRONG)
    assert apis.world.faults.requests == 1


def test_a_wait_that_is_asked_for_is_kept_and_counted_by_the_clock_of_the_api(
    apis: Apis, caplog: pytest.LogCaptureFixture
) -> None:
    apis.world.clock = datetime(2031, 5, 5, 12, tzinfo=UTC)
    later = format_datetime(apis.world.clock + timedelta(seconds=1), usegmt=True)
    apis.world.faults.plan(Refuse(status=429, headers={"Retry-After": later}))

    with caplog.at_level(logging.WARNING):
        read(apis)

    assert "once more in 1.0 s" in caplog.text


def test_a_wait_longer_than_a_run_should_hang_is_left_to_the_next_attempt(apis: Apis) -> None:
    apis.world.faults.plan(Refuse(status=429, headers={"Retry-After": "3600"}), last=ALWAYS)

    assert failure(apis).reason == "SourceThrottled"
    assert apis.world.faults.requests == 1


def test_many_short_waits_have_an_end_too(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PATIENCE", Patience(attempts=50, first_wait=0.01, longest_wait=0.01, waits=0.2))
    apis.world.faults.plan(Refuse(status=429), last=ALWAYS)

    assert failure(apis).reason == "SourceThrottled"
    assert apis.world.faults.requests < 50


def test_a_token_that_ends_in_the_middle_is_renewed(apis: Apis) -> None:
    apis.world.faults.plan(Do(action=apis.world.authority.revoke_all), first=3)

    assert read(apis) == apis.world.crm.size
    assert apis.world.authority.granted == 2


def test_a_token_that_is_about_to_end_is_renewed_before_it_does(apis: Apis) -> None:
    apis.world.authority.lifetime = 5

    assert read(apis) == apis.world.crm.size
    assert apis.world.authority.granted > 1


def test_a_token_that_is_never_taken_is_denied_access(apis: Apis) -> None:
    apis.world.authority.lifetime = -1

    assert failure(apis).reason == "AccessDenied"


def test_a_wrong_secret_is_denied_access_and_shown_nowhere(
    apis: Apis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LAKEHOUSE_SOURCE_CLIENT_SECRET", "not-the-secret")

    with caplog.at_level(logging.DEBUG):
        error = failure(apis)

    assert (error.reason, error.code) == ("AccessDenied", ExitCode.UNAVAILABLE)
    assert "invalid_client" in error.message
    assert "not-the-secret" not in error.message + caplog.text


def test_an_api_that_repeats_the_token_in_its_refusal_does_not_make_us_show_it(
    apis: Apis, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"no: lakehouse-dev-token-1 of {CLIENT_SECRET}"
    apis.world.faults.plan(Refuse(status=403, body=said), last=ALWAYS)

    with caplog.at_level(logging.DEBUG):
        error = failure(apis)

    assert "no: *** of ***" in error.message
    assert "lakehouse-dev-token" not in error.message + caplog.text
    assert CLIENT_SECRET not in error.message + caplog.text


def test_a_token_endpoint_that_is_broken_is_unavailable_and_what_it_repeats_is_not_shown(
    apis: Apis, caplog: pytest.LogCaptureFixture
) -> None:
    apis.world.authority.broken = True

    with caplog.at_level(logging.DEBUG):
        error = failure(apis)

    assert (error.reason, error.code) == ("SourceUnavailable", ExitCode.UNAVAILABLE)
    assert "/services/oauth2/token" in error.message
    assert CLIENT_SECRET not in error.message + caplog.text


def test_a_secret_without_the_keys_is_named(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKEHOUSE_SOURCE_CLIENT_SECRET")

    error = failure(apis)

    assert (error.reason, error.code) == ("CredentialsMissing", ExitCode.UNAVAILABLE)
    assert "clientSecret" in error.message


def test_a_fixed_token_is_shown_as_it_is(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    read(apis)
    monkeypatch.setenv("LAKEHOUSE_SOURCE_TOKEN", "lakehouse-dev-token-1")

    assert read(apis, auth=None) == apis.world.crm.size
    assert apis.world.authority.granted == 1


def test_a_server_of_an_unknown_authority_is_not_trusted_and_gets_no_secret(
    apis: Apis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority.create(tmp_path / "other").path))

    error = failure(apis)

    assert (error.reason, error.code) == ("SourceUntrusted", ExitCode.UNAVAILABLE)
    assert apis.world.authority.granted == 0


def test_a_server_with_the_certificate_of_another_name_is_not_trusted(apis: Apis) -> None:
    elsewhere = apis.server.salesforce.replace("localhost", "127.0.0.1")

    assert failure(apis, url=elsewhere).reason == "SourceUntrusted"


def test_an_address_where_nobody_listens_is_unavailable(apis: Apis) -> None:
    (port,) = free_ports(1)

    error = failure(apis, url=f"https://localhost:{port}/services/data/v62.0")

    assert (error.reason, error.code) == ("SourceUnavailable", ExitCode.UNAVAILABLE)
    assert str(port) in error.message


def test_a_page_beyond_the_memory_of_a_driver_is_refused(apis: Apis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PATIENCE", Patience(page_bytes=1 << 20))
    apis.world.crm.objects["contacts"][0]["Title"] = "x" * (2 << 20)
    source = rest(apis.salesforce())
    api = Salesforce(source, Client(tokens_of(source, SourceCredentials())), {"Title": "Title"})

    with pytest.raises(JobError) as caught:
        list(api.pages(Window()))

    assert (caught.value.reason, caught.value.code) == ("PageTooLarge", ExitCode.SPEC_WRONG)


def test_the_clock_of_the_api_is_the_one_of_its_answers(apis: Apis) -> None:
    apis.world.clock = datetime(2031, 5, 5, 12, tzinfo=UTC)
    client = client_of(apis)

    read(apis, client)

    assert client.server_time == apis.world.clock
