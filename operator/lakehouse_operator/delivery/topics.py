"""Publishing to topics of Amazon SNS under the operator's own identity."""

import asyncio
import threading
from typing import Any

from lakehouse_api.notify import Sns
from lakehouse_api.quantities import format_duration
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.notices import Message
from lakehouse_operator.delivery.errors import DeliveryError

_FAULT = 500
_PATIENCE_ASKED = ("Throttling", "ThrottledException", "KMSThrottling")


class Topics:
    """Topics of any region. Clients are made when the first message goes there, for they are costly to load."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._settings = config.notifications
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    async def publish(self, namespace: str, sns: Sns, message: Message) -> None:
        """Publish a message once.

        Raises:
            DeliveryError: it was not taken, or the namespace may not use the topic.
        """
        if not self._config.allows(namespace, "topics", sns.topic_arn):
            raise DeliveryError("NotAllowed", f"namespace {namespace} may not use this topic; see settings.tenancy")
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds()):
                await asyncio.to_thread(self._publish, sns, message)
        except TimeoutError as error:
            told = f"no answer within {format_duration(self._settings.timeout)}"
            raise DeliveryError("ReceiverUnavailable", told) from error

    def _publish(self, sns: Sns, message: Message) -> None:
        from botocore import exceptions  # noqa: PLC0415 - loaded with the first message, not by every operator

        try:
            self._client(sns.region or sns.topic_arn.split(":")[3]).publish(**_parameters(sns, message))
        except exceptions.NoCredentialsError as error:
            told = "the operator has no AWS identity; see serviceAccount.annotations of its chart"
            raise DeliveryError("CredentialsMissing", told) from error
        except exceptions.ClientError as error:
            raise _refusal(error.response) from error
        except exceptions.BotoCoreError as error:
            raise DeliveryError("ReceiverUnavailable", f"no answer ({type(error).__name__})") from error

    def _client(self, region: str) -> Any:
        with self._making:
            if region not in self._clients:
                self._clients[region] = self._make(region)
            return self._clients[region]

    def _make(self, region: str) -> Any:
        from botocore.config import Config as ClientConfig  # noqa: PLC0415 - as above
        from botocore.session import Session  # noqa: PLC0415

        seconds = self._settings.timeout.total_seconds()
        return Session().create_client(
            "sns",
            region_name=region,
            endpoint_url=self._settings.sns_endpoint,
            config=ClientConfig(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1}),
        )


def _parameters(sns: Sns, message: Message) -> dict[str, Any]:
    kind = {"DataType": "String", "StringValue": message.document["type"]}
    parameters = {
        "TopicArn": sns.topic_arn,
        "Subject": message.subject,
        "Message": message.body.decode(),
        "MessageAttributes": {"type": kind, "id": {"DataType": "String", "StringValue": message.id}},
    }
    if sns.topic_arn.endswith(".fifo"):
        parameters |= {"MessageGroupId": message.topic, "MessageDeduplicationId": message.id}
    return parameters


def _refusal(response: Any) -> DeliveryError:
    code, status = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    if status >= _FAULT or code in _PATIENCE_ASKED:
        return DeliveryError("ReceiverUnavailable", f"SNS answered {code}")
    return DeliveryError("ReceiverRefused", f"SNS answered {code}; may the operator's identity publish to this topic?")
