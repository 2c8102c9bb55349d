"""What a decision asks the world to become. A Plan is data; kube/execute.py carries it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from lakehouse_operator.core.notices import Notice

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ObjectRef:
    """An object of the cluster by kind and name, in the namespace of the plan's resource."""

    kind: str
    name: str


class EventType(StrEnum):
    """The two types Kubernetes knows."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to the resource: past tense, with names and values."""

    type: EventType
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One attempt: its objects, POSTed in this order. The Pod is the point of no return."""

    run_id: str
    config_map: Manifest
    pod: Manifest


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The API server, or an object that stands in the way, refused a launch.

    Such as a quota, a LimitRange, Pod Security, missing rights, or a foreign object of the same name.
    """

    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that one reconcile wants, carried out in the order of the fields.

    A crash after any step is harmless: `stop` repeats, `launch` meets its own objects, `status` is decided again from
    the same facts, and `release` and `prune` come only after the status that makes them right is stored.
    """

    stop: tuple[ObjectRef, ...] = ()
    """Driver Pods to delete; their finalizer keeps them until they are judged."""
    launch: Launch | None = None
    """The next attempt."""
    status: Mapping[str, Any] | None = None
    """The whole status document, stored only on the version of the resource that was observed. None: left alone."""
    release: tuple[ObjectRef, ...] = ()
    """Driver Pods whose result is in the status: their finalizer goes."""
    prune: tuple[ObjectRef, ...] = ()
    """Objects of runs that fell out of the history."""
    events: tuple[Event, ...] = ()
    notices: tuple[Notice, ...] = ()
    """Messages for people, sent in the background once the status that tells of them is stored.

    Beside a launch there are only messages that the stored status tells of.
    """
    requeue_after: timedelta | None = None
    """When to look again without being woken; None: only when something happens."""
