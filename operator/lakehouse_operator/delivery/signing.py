"""Signing by the specification of Standard Webhooks, for which receivers find libraries in every language."""

import base64
import binascii
import hashlib
import hmac

from lakehouse_operator.delivery.errors import DeliveryError

_PREFIX = "whsec_"


def identity(message_id: str, seconds: int) -> dict[str, str]:
    """Give the headers by which a receiver tells a message it has seen and one that is old; `seconds` is Unix time."""
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "Idempotency-Key": message_id}


def signature(message_id: str, seconds: int, body: bytes, secret: str) -> dict[str, str]:
    """Give the header that proves id, time and body by HMAC-SHA256.

    Raises:
        DeliveryError: the secret is empty, or begins with whsec_ and is not base64 after it.
    """
    signed = f"{message_id}.{seconds}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {"webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True) if secret.startswith(_PREFIX) else secret
    except binascii.Error as error:
        raise DeliveryError("SecretInvalid", "the signing secret is not base64 after whsec_") from error
    if not key:
        raise DeliveryError("SecretInvalid", "the signing secret is empty")
    return key if isinstance(key, bytes) else key.encode()
