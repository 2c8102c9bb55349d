"""Messages brought to real servers on loopback, and every way in which they may not arrive."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from lakehouse_api.notify import Channel, SecretKey
from lakehouse_dev.certificates import Authority
from lakehouse_dev.waiting import free_ports
from lakehouse_operator.core.channels import channel_id
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.notices import Message, Notice
from lakehouse_operator.delivery.errors import DeliveryError
from lakehouse_operator.delivery.posting import Poster
from lakehouse_operator.delivery.sender import Sender
from lakehouse_operator.delivery.topics import Topics
from lakehouse_operator.handlers.clock import utc_now
from tests import gen
from tests.receiver import Answer, Receiver

LOOPBACK = {"allowedHosts": ["localhost"], "allowHttp": True, "timeout": "5s"}
SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = Message(
    id="5d3bd648044f19119c9ed11702858112",
    topic=gen.UID,
    subject="lakehouse/crm-accounts breaks its SLA: FreshnessExceeded",
    text="*IngestPipeline lakehouse/crm-accounts* breaks its SLA: rows < 1 & late",
    document={"type": "lakehouse.sla.breached", "timestamp": "2026-11-24T00:00:30Z", "data": {"näme": "crm-accounts"}},
)


def _config(**notifications: Any) -> Config:
    return gen.config(notifications={**LOOPBACK, **notifications})


def _secrets(**values: str) -> Callable[[str, SecretKey], Awaitable[str]]:
    async def read(namespace: str, ref: SecretKey) -> str:
        assert (namespace, ref.name) == ("lakehouse", "alerts")
        return values[ref.key]

    return read


async def _send(channel: dict[str, Any], config: Config, **secrets: str) -> None:
    """Try once to bring the message to a channel."""
    known = Channel.model_validate(channel)
    notice = Notice(message=MESSAGE, channel=known, channel_id=channel_id(known), attempt=1)
    async with Poster(config.notifications) as poster:
        sender = Sender(poster=poster, topics=Topics(config), read_secret=_secrets(**secrets), clock=utc_now)
        await sender.send("lakehouse", notice)


async def _failure(channel: dict[str, Any], config: Config, **secrets: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await _send(channel, config, **secrets)
    return caught.value


def _key(key: str) -> dict[str, Any]:
    return {"secretRef": {"name": "alerts", "key": key}}


def _webhook(receiver: Receiver) -> dict[str, Any]:
    return {"webhook": {"url": f"{receiver.url}/hook"}}


async def test_a_webhook_gets_the_document_and_the_id_of_the_message() -> None:
    async with Receiver() as receiver:
        await _send(_webhook(receiver), _config())

    [got] = receiver.got
    assert json.loads(got.body) == MESSAGE.document
    assert (got.path, got.headers["Content-Type"]) == ("/hook", "application/json")
    assert got.headers["webhook-id"] == got.headers["Idempotency-Key"] == MESSAGE.id
    assert "webhook-signature" not in got.headers


@pytest.mark.parametrize("secret", [SIGNING_SECRET, f" {SIGNING_SECRET}\n"], ids=["as it is", "with a line end"])
async def test_a_signature_is_one_that_the_library_of_the_standard_accepts(secret: str) -> None:
    async with Receiver() as receiver:
        channel = {"webhook": {**_webhook(receiver)["webhook"], "signing": _key("secret")}}
        await _send(channel, _config(), secret=secret)

    [got] = receiver.got
    assert Verifier(SIGNING_SECRET).verify(got.body.decode(), got.headers) == MESSAGE.document
    with pytest.raises(WebhookVerificationError):
        Verifier(SIGNING_SECRET).verify(got.body.decode().replace("crm", "erp"), got.headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(SIGNING_SECRET).verify(got.body.decode(), {**got.headers, "webhook-timestamp": "1700000000"})


async def test_a_signing_secret_may_be_any_text() -> None:
    async with Receiver() as receiver:
        channel = {"webhook": {**_webhook(receiver)["webhook"], "signing": _key("secret")}}
        await _send(channel, _config(), secret="a long passphrase!")

    [got] = receiver.got
    assert Verifier(b"a long passphrase!").verify(got.body.decode(), got.headers) == MESSAGE.document


async def test_slack_gets_its_text_with_its_three_characters_escaped() -> None:
    async with Receiver() as receiver:
        await _send({"slack": _key("url")}, _config(), url=f"{receiver.url}/services/T0/B0/x\n")

    [got] = receiver.got
    assert got.path == "/services/T0/B0/x"
    assert json.loads(got.body) == {
        "text": "*IngestPipeline lakehouse/crm-accounts* breaks its SLA: rows &lt; 1 &amp; late"
    }


async def test_tls_is_trusted_by_the_authorities_of_the_settings(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path)
    pair = authority.server("receiver", names=["localhost"])
    async with Receiver(tls=pair) as receiver:
        await _send(_webhook(receiver), _config(allowHttp=False, caBundle=authority.path.read_text()))

    assert len(receiver.got) == 1


async def test_a_certificate_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    pair = Authority.create(tmp_path).server("receiver", names=["localhost"])
    async with Receiver(tls=pair) as receiver:
        error = await _failure(_webhook(receiver), _config())

    assert error.failure.reason == "ReceiverUnavailable"
    assert "certificate" in error.failure.message
    assert receiver.got == []


async def test_a_certificate_for_another_host_is_not_trusted(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path)
    pair = authority.server("receiver", names=["elsewhere.example"])
    async with Receiver(tls=pair) as receiver:
        error = await _failure(_webhook(receiver), _config(caBundle=authority.path.read_text()))

    assert "certificate" in error.failure.message


ANSWERS = {
    "a fault of its own": (Answer(500), "ReceiverUnavailable", "it answered HTTP 500"),
    "not now": (Answer(503, headers={"Retry-After": "120"}), "ReceiverUnavailable", "it answered HTTP 503"),
    "too many": (Answer(429, headers={"Retry-After": "Wed, 21"}), "ReceiverUnavailable", "it answered HTTP 429"),
    "an error of ours": (Answer(404, "no_service"), "ReceiverRefused", "it answered HTTP 404: no_service"),
    "an error that repeats the URL": (Answer(400, "bad /hook"), "ReceiverRefused", "it answered HTTP 400"),
    "a redirect": (Answer(302, headers={"Location": "/other"}), "ReceiverRefused", "redirects are not followed"),
    "a cut connection": (Answer(cut=True), "ReceiverUnavailable", "no answer"),
}


@pytest.mark.parametrize(("answer", "reason", "told"), ANSWERS.values(), ids=ANSWERS)
async def test_what_a_receiver_answers_is_told(answer: Answer, reason: str, told: str) -> None:
    async with Receiver(answer) as receiver:
        error = await _failure(_webhook(receiver), _config())

    assert error.failure.reason == reason
    assert told in error.failure.message
    assert "hook" not in error.failure.message
    assert {got.path for got in receiver.got} == {"/hook"}
    assert error.failure.wait_seconds == (120 if answer.status == 503 else 0)


async def test_a_receiver_that_does_not_answer_in_time_is_given_up_for_now() -> None:
    async with Receiver(Answer(after=30)) as receiver:
        error = await _failure(_webhook(receiver), _config(timeout="1s"))

    assert (error.failure.reason, error.failure.message) == ("ReceiverUnavailable", "no answer within 1s")


async def test_nobody_at_the_other_end_is_told() -> None:
    (port,) = free_ports(1)

    error = await _failure({"webhook": {"url": f"http://localhost:{port}/hook"}}, _config())

    assert error.failure.reason == "ReceiverUnavailable"
    assert "no connection" in error.failure.message


SECRET_URLS = {
    "a host that is not listed": "https://evil.example/services/s3cr3t",
    "an address": "http://127.0.0.1:9/s3cr3t",
    "no TLS": "http://localhost/s3cr3t",
    "the metadata of the cloud": "http://169.254.169.254/latest/s3cr3t",
    "a password in it": "https://user:s3cr3t@localhost/",
    "a listed host as the user of another": "https://localhost@evil.example/s3cr3t",
    "a listed host behind a backslash": "https://evil.example\\@localhost/s3cr3t",
    "another protocol": "file:///etc/s3cr3t",
    "no URL at all": "s3cr3t",
    "no host": "https:///s3cr3t",
    "nothing": "",
}


@pytest.mark.parametrize("url", SECRET_URLS.values(), ids=SECRET_URLS)
async def test_a_url_that_may_not_be_called_is_not_and_no_word_of_it_is_told(url: str) -> None:
    error = await _failure({"slack": _key("url")}, _config(allowHttp=False), url=url)

    assert error.failure.reason == "NotAllowed"
    assert all(part not in error.failure.message for part in ("s3cr3t", "evil", "169.254"))


@pytest.mark.parametrize("secret", ["whsec_not base64", "whsec_", ""], ids=["not base64", "only the prefix", "empty"])
async def test_a_signing_secret_that_cannot_be_is_told_and_nothing_is_sent(secret: str) -> None:
    async with Receiver() as receiver:
        channel = {"webhook": {**_webhook(receiver)["webhook"], "signing": _key("secret")}}
        error = await _failure(channel, _config(), secret=secret)

    assert error.failure.reason == "SecretInvalid"
    assert receiver.got == []
