"""Clients of AWS with bounded patience. The SDK is loaded when the first one is made, not by every job."""

import os
from typing import Any, Final

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 15
ATTEMPTS: Final = 3
"""Requests that one call makes at most; after throttling and faults of the service it waits before the next."""
DENIED: Final = (
    *("AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId"),
    *("ExpiredTokenException", "InvalidIdentityToken", "InvalidSignatureException"),
)
"""The codes by which any service says that the identity is not enough."""
NO_IDENTITY: Final = (
    "the Pod has no identity of AWS. Give the driver's service account a role (sparkAccounts.driverAnnotations of the "
    "chart)."
)


def client(service: str, *, region: str | None, endpoint: str | None) -> Any:
    """Make a client; raise NoRegionError if neither the settings nor the Pod say a region."""
    from botocore.config import Config  # noqa: PLC0415 (most jobs need none of it)
    from botocore.session import Session  # noqa: PLC0415 (the same)

    return Session().create_client(
        service,
        region_name=region or os.environ.get("AWS_REGION"),
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        ),
    )
