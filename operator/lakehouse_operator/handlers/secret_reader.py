"""Reading one value of one Secret, live, for one delivery; nothing keeps it."""

import base64
import binascii
from collections.abc import Awaitable, Callable

from lakehouse_api.notify import SecretKey
from lakehouse_operator.delivery.errors import DeliveryError
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import SECRETS
from lakehouse_operator.kube.errors import ClusterError, ForbiddenError, NotFoundError


def secret_reader(client: Client) -> Callable[[str, SecretKey], Awaitable[str]]:
    """Give the function that reads a key of a Secret in a namespace; it raises DeliveryError if it cannot."""

    async def read(namespace: str, ref: SecretKey) -> str:
        try:
            data = (await client.get(SECRETS, namespace, ref.name)).get("data") or {}
            return base64.b64decode(data[ref.key]).decode()
        except ForbiddenError as error:
            told = f"the operator may not read Secret {ref.name}; see notifications of its chart"
            raise DeliveryError("SecretForbidden", told) from error
        except NotFoundError as error:
            raise DeliveryError("SecretMissing", f"there is no Secret {ref.name} in this namespace") from error
        except KeyError as error:
            raise DeliveryError("SecretMissing", f"Secret {ref.name} has no key {ref.key}") from error
        except (binascii.Error, UnicodeDecodeError) as error:
            raise DeliveryError("SecretInvalid", f"key {ref.key} of Secret {ref.name} is not text") from error
        except ClusterError as error:
            raise DeliveryError("SecretUnavailable", "the API server does not answer") from error

    return read
