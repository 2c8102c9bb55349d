"""Messages published to topics of an SNS service of the tests' own."""

import json
from typing import Any

import boto3
import pytest

from lakehouse_api.notify import Sns
from lakehouse_dev.waiting import free_ports
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.notices import Message
from lakehouse_operator.delivery.errors import DeliveryError
from lakehouse_operator.delivery.topics import Topics
from tests import gen
from tests.aws import IDENTITY, REGION

ACCOUNT = "123456789012"
MESSAGE = Message(
    id="5d3bd648044f19119c9ed11702858112",
    topic=gen.UID,
    subject="lakehouse/crm-accounts breaks its SLA: FreshnessExceeded",
    text="*IngestPipeline lakehouse/crm-accounts* breaks its SLA",
    document={"type": "lakehouse.sla.breached", "timestamp": "2026-11-24T00:00:30Z", "data": {"name": "crm-accounts"}},
)


@pytest.fixture(autouse=True)
def _identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the operator an identity of AWS, as its service account does."""
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


def _config(service: str, *topics: str) -> Config:
    tenancy = [{"namespace": "lakehouse", "topics": list(topics or ["arn:aws:sns:*:*:alerts*"])}]
    return gen.config(tenancy=tenancy, notifications={"snsEndpoint": service, "timeout": "20s"})


def _subscribed(service: str, topic: str, **attributes: str) -> tuple[str, Any, str]:
    """Make a topic and a queue behind it; answers the topic's ARN and the queue."""
    place = {"endpoint_url": service, "region_name": REGION}
    sns, sqs = boto3.client("sns", **place), boto3.client("sqs", **place)
    arn = sns.create_topic(Name=topic, Attributes=attributes)["TopicArn"]
    queue = sqs.create_queue(QueueName=topic, Attributes=attributes)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    return arn, sqs, queue


def _received(sqs: Any, queue: str) -> list[dict[str, Any]]:
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


async def test_a_topic_gets_the_document_the_subject_and_the_id(aws: str) -> None:
    arn, sqs, queue = _subscribed(aws, "alerts")

    await Topics(_config(aws)).publish("lakehouse", Sns(topic_arn=arn), MESSAGE)

    [got] = _received(sqs, queue)
    assert json.loads(got["Message"]) == MESSAGE.document
    assert got["Subject"] == MESSAGE.subject
    assert {name: one["Value"] for name, one in got["MessageAttributes"].items()} == {
        "id": MESSAGE.id,
        "type": "lakehouse.sla.breached",
    }


async def test_a_topic_that_keeps_order_gets_what_is_said_twice_once(aws: str) -> None:
    arn, sqs, queue = _subscribed(aws, "alerts.fifo", FifoTopic="true", FifoQueue="true")
    topics = Topics(_config(aws))

    await topics.publish("lakehouse", Sns(topic_arn=arn), MESSAGE)
    await topics.publish("lakehouse", Sns(topic_arn=arn), MESSAGE)

    assert len(_received(sqs, queue)) == 1


async def _failure(config: Config, arn: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await Topics(config).publish("lakehouse", Sns(topic_arn=arn), MESSAGE)
    return caught.value


async def test_a_topic_that_is_not_there_is_told(aws: str) -> None:
    error = await _failure(_config(aws), f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts-of-nobody")

    assert error.failure.reason == "ReceiverRefused"
    assert "NotFound" in error.failure.message


async def test_a_topic_that_the_namespace_may_not_use_is_not_called(aws: str) -> None:
    arn, sqs, queue = _subscribed(aws, "billing")

    error = await _failure(_config(aws), arn)

    assert error.failure.reason == "NotAllowed"
    assert _received(sqs, queue) == []


async def test_an_operator_without_an_identity_of_aws_says_so(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    error = await _failure(_config(aws), f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts")

    assert error.failure.reason == "CredentialsMissing"


async def test_a_service_that_is_not_there_is_told() -> None:
    (port,) = free_ports(1)

    error = await _failure(_config(f"http://127.0.0.1:{port}"), f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts")

    assert error.failure.reason == "ReceiverUnavailable"
