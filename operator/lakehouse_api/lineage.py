"""Where runs tell what they read and wrote, in the words of OpenLineage."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field

from lakehouse_api.model import Model
from lakehouse_api.quantities import Duration
from lakehouse_api.status import Time

KEY_VARIABLE: Final = "LAKEHOUSE_OPENLINEAGE_KEY"
"""The environment variable that carries the endpoint's API key into the Pod."""
# No user, no query, no fragment: the URL lies in a ConfigMap.
_URL: Final = r"^https?://[A-Za-z0-9\[]([A-Za-z0-9.:\]-]*[A-Za-z0-9\]])?(/[^\s?#@]*)?$"


class LineageEndpoint(Model):
    """An HTTP endpoint that takes the events of runs."""

    url: Annotated[
        str,
        Field(
            max_length=1024,
            pattern=_URL,
            description="Where each event is posted to, such as https://marquez.example.com/api/v1/lineage.",
        ),
    ]
    namespace: Annotated[
        str, Field(min_length=1, max_length=255, description="Of the jobs: it tells environments apart.")
    ] = "lakehouse"
    timeout: Annotated[
        Duration,
        Field(
            ge=timedelta(seconds=1),
            le=timedelta(minutes=1),
            description="How long one event may take, and how long a run waits at its end for what is under way.",
        ),
    ] = timedelta(seconds=5)


class Untold(Model):
    """An attempt that ended without a result, so that nobody was told; the next one does it."""

    id: str
    slot: str
    attempt: int
    ended_at: Time
    reason: str
    message: str


class Lineage(Model):
    """What a run needs to tell of itself. The API key, if there is one, is in the environment."""

    endpoint: LineageEndpoint
    untold: list[Untold] = []
