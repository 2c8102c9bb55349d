"""kopf as the informer: it lists, watches and reconnects; all it does here is to keep the store and wake keys.

No handler of ours makes kopf write anything: no finalizers, no annotations, no progress. Whatever a cut watch may have
lost, the resync finds (handlers/resync.py).
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import kopf
from typing_extensions import override

from lakehouse_api.kinds import GROUP, VERSION, Kind
from lakehouse_operator.core import names
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.kube.access import TOKEN_LIFETIME_SECONDS, Access
from lakehouse_operator.kube.client import PAGE
from lakehouse_operator.kube.store import Body

_SINCE_NOTHING: kopf.BodyEssence = {}

See = Callable[[str | None, Body], None]
"""Takes the type of an event, DELETED or another, and the object."""


class _NoDifferences(kopf.DiffBaseStorage):
    """Keep kopf from copying every object deeply to compare it with what it was: half the cost of an event."""

    @override
    def build(self, **_: Any) -> kopf.BodyEssence:
        return _SINCE_NOTHING

    @override
    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    @override
    def store(self, **_: Any) -> None:
        return None


def build_registry(*, kinds: Sequence[Kind], access: Access, on_resource: See, on_driver: See) -> kopf.OperatorRegistry:
    """Register what is watched: every kind of ours, and driver Pods."""
    registry = kopf.OperatorRegistry()
    for kind in kinds:
        kopf.on.event(GROUP, VERSION, kind.plural, registry=registry, id=kind.plural)(_handler(on_resource))
    kopf.on.event("v1", "pods", registry=registry, id="drivers")(_handler(on_driver))
    kopf.on.login(registry=registry)(_login(access))
    return registry


def _handler(see: See) -> Callable[..., Awaitable[None]]:
    async def handle(event: kopf.RawEvent, **_: Any) -> None:
        see(event["type"], event["object"])

    return handle


def _login(access: Access) -> Callable[..., Awaitable[kopf.ConnectionInfo]]:
    """Let kopf in the way our client goes; a token is read again before it is a minute old."""

    async def login(**_: Any) -> kopf.ConnectionInfo:
        until = utc_now() + timedelta(seconds=TOKEN_LIFETIME_SECONDS) if access.token_file else None
        return kopf.ConnectionInfo(
            server=access.server,
            ca_data=access.authority,
            insecure=access.insecure,
            certificate_data=access.certificate,
            private_key_data=access.private_key,
            token=access.bearer(),
            expiration=until,
        )

    return login


def informer_settings() -> kopf.OperatorSettings:
    """Give kopf's settings for watching and nothing else."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True  # the Lease elects
    settings.scanning.disabled = True  # the kinds come with the chart; a missing one ends the start
    settings.persistence.diffbase_storage = _NoDifferences()
    settings.posting.enabled = False  # telemetry/events.py tells each thing once
    settings.watching.label_selectors["v1", "pods"] = names.DRIVER_SELECTOR
    settings.watching.chunk_size = PAGE
    settings.watching.initial_streaming = False  # a stream cut before its first bookmark would lose objects
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = 1.0
    settings.networking.connect_timeout = 10
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = (0.5, 1, 2, 3, 5, 8, 13, 21, 34, 55)
    settings.queueing.worker_limit = None  # as a limit it would hold a slot for idle_timeout after each event
    settings.queueing.idle_timeout = 1.0
    settings.process.ultimate_exiting_timeout = 25
    return settings
