"""Bringing one message to one channel. Secrets are read for this attempt and forgotten with it."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from html import escape

from lakehouse_api.notify import SecretKey, Slack, Sns, Webhook
from lakehouse_operator.core.notices import Message, Notice
from lakehouse_operator.delivery.posting import Poster
from lakehouse_operator.delivery.signing import identity, signature
from lakehouse_operator.delivery.topics import Topics

ReadSecret = Callable[[str, SecretKey], Awaitable[str]]
"""Takes a namespace and a key of a Secret in it, answers its value, raises DeliveryError if there is none."""


class Sender:
    """Knows how each kind of channel is told."""

    def __init__(
        self, *, poster: Poster, topics: Topics, read_secret: ReadSecret, clock: Callable[[], datetime]
    ) -> None:
        self._poster = poster
        self._topics = topics
        self._read_secret = read_secret
        self._clock = clock

    async def send(self, namespace: str, notice: Notice) -> None:
        """Try once.

        Raises:
            DeliveryError: the channel did not take it.
        """
        match notice.channel.slack or notice.channel.webhook or notice.channel.sns:
            case Slack() as slack:
                await self._tell_slack(namespace, slack, notice.message)
            case Webhook() as webhook:
                await self._call(namespace, webhook, notice.message)
            case Sns() as sns:
                await self._topics.publish(namespace, sns, notice.message)
            case None:
                raise ValueError("a channel of no kind")

    async def _tell_slack(self, namespace: str, slack: Slack, message: Message) -> None:
        url = await self._read_secret(namespace, slack.secret_ref)
        text = {"text": escape(message.text, quote=False)}  # of HTML, Slack wants exactly & < > escaped
        await self._poster.post(url.strip(), json.dumps(text).encode(), {})

    async def _call(self, namespace: str, webhook: Webhook, message: Message) -> None:
        url = webhook.url or (await self._read_secret(namespace, webhook.secret_ref) if webhook.secret_ref else "")
        seconds = int(self._clock().timestamp())
        headers = identity(message.id, seconds)
        if webhook.signing:
            secret = await self._read_secret(namespace, webhook.signing.secret_ref)
            headers |= signature(message.id, seconds, message.body, secret.strip())
        await self._poster.post(url.strip(), message.body, headers)
