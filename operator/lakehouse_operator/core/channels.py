"""The receivers of messages: what they are called, and which of them the settings allow."""

from yarl import URL

from lakehouse_api.notify import Channel
from lakehouse_operator.core.config import Config, Notifications
from lakehouse_operator.core.names import document_hash


def channel_id(channel: Channel) -> str:
    """Name a channel by what it is, so that one which was corrected is another one."""
    return f"{channel.kind}-{document_hash(channel.document(), length=8)}"


def refusal(channel: Channel, namespace: str, config: Config) -> str | None:
    """Say why a channel is never used, as far as it can be seen without its Secret; None if it may be."""
    if channel.sns is not None:
        topic = channel.sns.topic_arn
        allowed = config.allows(namespace, "topics", topic)
        return None if allowed else f"namespace {namespace} may not use {topic!r}; see settings.tenancy"
    if channel.webhook is not None and channel.webhook.url is not None:
        return url_refusal(channel.webhook.url, config.notifications)
    return None


def url_refusal(text: str, settings: Notifications) -> str | None:
    """Say why a URL is never called; None if it may be. The answer does not repeat the URL, which may be a secret."""
    try:
        url = URL(text)
        host = url.host
    except ValueError:
        return "the URL is not one"
    if not host or url.scheme not in ("https", "http"):
        return "the URL is not one of https"
    if url.scheme == "http" and not settings.allow_http:
        return "the URL is not one of https, and settings.notifications.allowHttp is not set"
    if url.user is not None or url.password is not None:
        return "the URL holds a user or a password; use signing instead"
    if not settings.allows_host(host):
        return "the host of the URL is not one of settings.notifications.allowedHosts"
    return None
