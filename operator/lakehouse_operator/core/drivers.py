"""Judging driver Pods: what state an attempt is in, and if it ended, how and whether to try again.

The order of judgement matters. The phase comes first, because an evicted or collected Pod has no container statuses.
The result document outranks the exit code. A driver that never started says why by its waiting reason or conditions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from lakehouse_api.run import ExitCode, RunResult
from lakehouse_api.status import Outcome
from lakehouse_operator.core import names
from lakehouse_operator.core.instants import parse_time

CONTAINER = "spark-kubernetes-driver"
LOST_AFTER = timedelta(minutes=5)
"""A Pod that should be gone for this long has lost its node: no kubelet is left to end it."""

_OOM_EXIT = 137
_TAIL_LIMIT = 2048


class Phase(StrEnum):
    """Where an attempt is."""

    PENDING = "Pending"
    RUNNING = "Running"
    ENDED = "Ended"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How an attempt ended."""

    outcome: Outcome
    reason: str
    message: str
    counts: bool = True
    """Whether it uses up one of maxAttempts; evictions and lost nodes do not."""
    retried: bool = True
    """Whether another attempt could end differently."""
    result: RunResult | None = None
    log_tail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Driver:
    """One attempt as its Pod shows it."""

    run_id: str
    pod: str
    slot: str
    attempt: int
    failures: int
    spec: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    phase: Phase
    waiting: str
    """Why a pending driver has not started: a reason, then what the cluster says."""
    waiting_message: str
    gone_by: datetime | None
    """When a Pod that is being deleted counts as lost with its node; None while nobody deletes it."""
    held: bool
    """Whether our finalizer still keeps the Pod: its result may not be in the status yet."""
    verdict: Verdict | None

    @property
    def deleting(self) -> bool:
        """Whether somebody has asked for the Pod's deletion."""
        return self.gone_by is not None


def read_driver(pod: Mapping[str, Any], now: datetime) -> Driver:
    """Take a driver Pod of ours apart and judge it."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    labels, annotations = metadata["labels"], metadata["annotations"]
    container = _container(status)
    verdict = _verdict(pod, status, container, now)
    started = _started(container)
    waiting, waiting_message = _waiting(status, container)
    return Driver(
        run_id=labels[names.RUN],
        pod=metadata["name"],
        slot=annotations[names.SLOT],
        attempt=int(labels[names.ATTEMPT]),
        failures=int(annotations[names.FAILURES]),
        spec=annotations[names.SPEC],
        created=parse_time(metadata["creationTimestamp"]),
        started=started,
        ended=_ended(container) or now if verdict else None,
        phase=Phase.ENDED if verdict else Phase.RUNNING if started else Phase.PENDING,
        waiting=waiting,
        waiting_message=waiting_message,
        gone_by=_gone_by(metadata),
        held=names.DRIVER_FINALIZER in metadata.get("finalizers", ()),
        verdict=verdict,
    )


def _container(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the driver's container status, sidecars left aside; empty if the kubelet has reported none."""
    return next((c for c in status.get("containerStatuses") or () if c["name"] == CONTAINER), {})


def _state(container: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    state: Mapping[str, Any] = (container.get("state") or {}).get(name) or {}
    return state


def _started(container: Mapping[str, Any]) -> datetime | None:
    text = _state(container, "running").get("startedAt") or _state(container, "terminated").get("startedAt")
    return parse_time(text) if text else None


def _ended(container: Mapping[str, Any]) -> datetime | None:
    text = _state(container, "terminated").get("finishedAt")
    return parse_time(text) if text else None


def _gone_by(metadata: Mapping[str, Any]) -> datetime | None:
    text = metadata.get("deletionTimestamp")
    return parse_time(text) + LOST_AFTER if text else None


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    return next((c for c in status.get("conditions") or () if c["type"] == kind), {})


def _verdict(
    pod: Mapping[str, Any], status: Mapping[str, Any], container: Mapping[str, Any], now: datetime
) -> Verdict | None:
    terminated = _state(container, "terminated")
    if status.get("phase") in ("Succeeded", "Failed") or terminated:
        return _judge_end(pod["metadata"], status, terminated)
    gone_by = _gone_by(pod["metadata"])
    if gone_by and not _has_kubelet(pod, status):
        return _deleted(status)
    if gone_by and now > gone_by:
        return Verdict(
            outcome=Outcome.FAILED,
            reason="NodeLost",
            message="the driver's node stopped reporting; nothing is lost, the next attempt takes over",
            counts=False,
        )
    return None


def _has_kubelet(pod: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    """Tell whether a kubelet will report the Pod's end; a bound Pod may run before its status shows it.

    A Pod without a node that is being deleted is never bound any more.
    """
    return bool(pod["spec"].get("nodeName") or status.get("startTime") or status.get("containerStatuses"))


def _judge_end(metadata: Mapping[str, Any], status: Mapping[str, Any], terminated: Mapping[str, Any]) -> Verdict:
    said = terminated.get("message") or ""
    result = _result(said)
    if result is not None:
        return _by_result(result)
    if (disruption := _disruption(status)) is not None:
        return disruption
    if status.get("reason") == "DeadlineExceeded":
        return Verdict(
            outcome=Outcome.FAILED,
            reason="TimedOut",
            message="the attempt ran longer than spec.timeout allows; raise it, or give the run more resources",
            log_tail=said[-_TAIL_LIMIT:] or None,
        )
    if "deletionTimestamp" in metadata:
        return _deleted(status)
    return _by_code(terminated, said)


def _result(message: str) -> RunResult | None:
    """Read the result document; a log tail in its place is no result."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        return RunResult.model_validate_json(message, extra="ignore")
    except ValidationError:
        return None


def _by_result(result: RunResult) -> Verdict:
    return Verdict(
        outcome=result.outcome,
        reason=result.reason,
        message=result.message,
        retried=result.retry,
        result=result,
    )


def _disruption(status: Mapping[str, Any]) -> Verdict | None:
    """Tell whether the cluster, not the job, ended the Pod; the newest kubelets say so in a condition."""
    reason = status.get("reason") or ""
    target = _condition(status, "DisruptionTarget")
    if reason not in ("Evicted", "NodeLost", "Preempting", "Shutdown", "Terminated") and target.get("status") != "True":
        return None
    cause = target.get("reason") or reason
    known = {
        "TerminationByKubelet": "Evicted",
        "EvictionByEvictionAPI": "Evicted",
        "PreemptionByScheduler": "Preempted",
    }
    said = target.get("message") or status.get("message") or "the cluster ended the driver's Pod"
    return Verdict(outcome=Outcome.FAILED, reason=known.get(cause, cause), message=str(said), counts=False)


def _deleted(status: Mapping[str, Any]) -> Verdict:
    return _disruption(status) or Verdict(
        outcome=Outcome.FAILED,
        reason="DriverDeleted",
        message="the driver's Pod was deleted before it finished, not by the operator",
    )


def _by_code(terminated: Mapping[str, Any], said: str) -> Verdict:
    tail = said[-_TAIL_LIMIT:] or None
    code = terminated.get("exitCode")
    if terminated.get("reason") == "OOMKilled":
        return Verdict(
            outcome=Outcome.FAILED,
            reason="OutOfMemory",
            message="the driver used more memory than its Pod may; raise spec.spark.driver.memory",
            log_tail=tail,
        )
    if code is None:
        return Verdict(
            outcome=Outcome.FAILED,
            reason="DriverLost",
            message="the driver's Pod ended without saying how",
            counts=False,
        )
    if code == ExitCode.DONE:
        return Verdict(
            outcome=Outcome.FAILED,
            reason="ResultMissing",
            message="the driver ended well but left no result; is spark.image an image of this operator?",
            log_tail=tail,
        )
    if code in (ExitCode.SPEC_WRONG, ExitCode.DATA_REFUSED, ExitCode.UNAVAILABLE):
        known = ExitCode(code)
        reason = {64: "SpecWrong", 65: "DataRefused", 75: "Unavailable"}[code]
        return Verdict(
            outcome=Outcome.FAILED,
            reason=reason,
            message=f"the job ended with code {code} and left no result; its log tells why",
            retried=known.retried,
            log_tail=tail,
        )
    killed = "; something killed it, its node's log tells what" if code == _OOM_EXIT else ""
    return Verdict(
        outcome=Outcome.FAILED,
        reason="DriverFailed",
        message=f"the driver ended with exit code {code}{killed}",
        log_tail=tail,
    )


_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")


def _waiting(status: Mapping[str, Any], container: Mapping[str, Any]) -> tuple[str, str]:
    """Give the reason a driver does not start, in our words, and the cluster's own message."""
    waiting = _state(container, "waiting")
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _IMAGE:
        image = container.get("image", "")
        return "ImagePullFailed", f"image {image} cannot be pulled: {message}" if message else f"image {image}"
    if reason == "CreateContainerConfigError":
        return ("SecretMissing" if "secret" in message.lower() else "ConfigMissing"), message
    if reason and reason not in ("ContainerCreating", "PodInitializing"):
        return "DriverNotStarting", f"{reason}: {message}"
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("reason") == "Unschedulable":
        return "Unschedulable", scheduled.get("message", "")
    return "", ""
