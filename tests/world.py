"""A cluster in memory: one pipeline, its Pods and ConfigMaps, a clock, and an operator that may die at any step.

It judges decisions, not clients: what a real API server does is tested against one.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from lakehouse_operator.core import ingest_pipeline, names
from lakehouse_operator.core.config import Config
from lakehouse_operator.core.drivers import LOST_AFTER
from lakehouse_operator.core.instants import format_time, parse_time
from lakehouse_operator.core.plan import Event, Plan, Refusal
from lakehouse_operator.core.resource import Resource
from lakehouse_operator.core.schedule import read_schedule
from tests import gen


class CrashError(Exception):
    """The operator died here."""


@dataclass
class World:
    """The truth. `created` never forgets a Pod, so that a second one of the same name shows."""

    body: dict[str, Any]
    now: datetime = gen.NOW
    config: Config = field(default_factory=gen.config)
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    config_maps: set[str] = field(default_factory=set)
    created: list[str] = field(default_factory=list)
    slots_run: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    slots_recorded: set[str] = field(default_factory=set)
    room: bool = True
    refusal: Refusal | None = None

    @property
    def resource(self) -> Resource:
        return Resource.read(self.body)

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.body["status"]
        return status

    def condition(self, kind: str) -> dict[str, Any] | None:
        return next((c for c in self.status.get("conditions", []) if c["type"] == kind), None)

    def seen(self) -> ingest_pipeline.Seen:
        active = {run["pod"] for run in self.status.get("active", [])}
        return ingest_pipeline.Seen(
            drivers=tuple(deepcopy(list(self.pods.values()))),
            room=self.room,
            missing=frozenset(active - self.pods.keys()),
        )

    def reconcile(self, crash_after: int | None = None) -> Plan:
        """Decide and act once; die before the given step of the plan."""
        plan = ingest_pipeline.reconcile(self.resource, self.seen(), self.now, self.config)
        self._execute(plan, crash_after)
        return plan

    def settle(self, limit: int = 12) -> Plan:
        """Reconcile until nothing is left to do now.

        Raises:
            AssertionError: it does not come to rest.
        """
        for _ in range(limit):
            before = deepcopy((self.body, self.pods, self.config_maps))
            plan = self.reconcile()
            if before == (self.body, self.pods, self.config_maps) and plan.requeue_after != timedelta():
                return plan
        raise AssertionError(f"not at rest after {limit} reconciles: {self.status}")

    def _execute(self, plan: Plan, crash_after: int | None) -> None:
        steps = list(self._steps(plan))
        for index, step in enumerate(steps):
            if index == crash_after:
                raise CrashError
            step()

    def _steps(self, plan: Plan) -> list[Callable[[], None]]:
        launch = plan.launch
        if launch and self.refusal:
            refused = ingest_pipeline.refused(self.resource, self.seen(), self.now, self.config, self.refusal)
            return [lambda: self.config_maps.add(launch.run_id), *self._steps(refused)]
        steps: list[Callable[[], None]] = [partial(self._delete, ref.kind, ref.name) for ref in plan.stop]
        if launch:
            steps += [lambda: self.config_maps.add(launch.run_id), lambda: self._post(launch.pod)]
        if plan.status is not None:
            steps.append(lambda: self._store(dict(plan.status or {})))
        steps += [partial(self._release, ref.name) for ref in plan.release]
        steps += [partial(self._delete, ref.kind, ref.name) for ref in plan.prune]
        steps.append(lambda: self.events.extend(plan.events))
        return steps

    def _post(self, pod: dict[str, Any]) -> None:
        name = pod["metadata"]["name"]
        if name in self.pods:
            return
        assert name not in self.created, f"two drivers for one attempt: {name}"
        self.created.append(name)
        self.slots_run.add(pod["metadata"]["annotations"][names.SLOT])
        self.pods[name] = gen.born(pod, self.now)

    def _store(self, status: dict[str, Any]) -> None:
        if status != self.body["status"]:
            self.body["metadata"]["resourceVersion"] = str(int(self.body["metadata"]["resourceVersion"]) + 1)
        for record in (*status.get("history", []), *([status["lastRun"]] if "lastRun" in status else [])):
            self.slots_recorded |= self._slots_of(record)
        self.body["status"] = status

    def _slots_of(self, record: dict[str, Any]) -> set[str]:
        """Spell out the slots that a record stands for, and check that it counts them right."""
        if "firstSlot" not in record:
            return {record["slot"]}
        spec = self.body["spec"]
        schedule = read_schedule(spec["schedule"], spec.get("timeZone", "Etc/UTC"))
        slots: list[str] = []
        slot: datetime | None = parse_time(record["firstSlot"])
        while slot and slot <= parse_time(record["slot"]):
            slots.append(format_time(slot))
            slot = schedule.next_after(slot)
        assert len(slots) == record["skipped"], f"{record} stands for {slots}"
        return set(slots)

    def _release(self, name: str) -> None:
        if name in self.pods:
            self.pods[name]["metadata"].pop("finalizers", None)
            self._collect(name)

    def _delete(self, kind: str, name: str) -> None:
        if kind == "ConfigMap":
            self.config_maps.discard(name)
        elif name in self.pods and "deletionTimestamp" not in self.pods[name]["metadata"]:
            self.pods[name] = gen.deleting(self.pods[name], self.now + timedelta(seconds=30))
            self._collect(name)

    def _collect(self, name: str) -> None:
        pod = self.pods[name]
        over = pod["status"]["phase"] in ("Succeeded", "Failed") or "nodeName" not in pod["spec"]
        if over and "deletionTimestamp" in pod["metadata"] and not pod["metadata"].get("finalizers"):
            del self.pods[name]

    # --- what kubelet, people and time do ---------------------------------------------------------------------------

    def live(self) -> list[str]:
        """The drivers that run or that a kubelet may still start: not one deleted unbound or lost with its node."""
        return [name for name, pod in self.pods.items() if self._may_run(pod)]

    def _may_run(self, pod: dict[str, Any]) -> bool:
        if pod["status"]["phase"] not in ("Pending", "Running"):
            return False
        if "deletionTimestamp" not in pod["metadata"]:
            return True
        lost = self.now > parse_time(pod["metadata"]["deletionTimestamp"]) + LOST_AFTER
        return "nodeName" in pod["spec"] and not lost

    def bind_driver(self) -> None:
        for name in self.live():
            self.pods[name] = gen.bound(self.pods[name])

    def start_driver(self) -> None:
        for name in self.live():
            self.pods[name] = gen.running(self.pods[name], self.now)

    def end_driver(self, **how: Any) -> None:
        for name in self.live():
            self.pods[name] = gen.ended(self.pods[name], self.now, **how)
            self._collect(name)

    def delete_driver(self) -> None:
        for name in self.live():
            self._delete("Pod", name)

    def pass_time(self, duration: timedelta) -> None:
        self.now += duration

    def edit(self, **changes: Any) -> None:
        self.body["spec"].update(changes)
        self.body["metadata"]["generation"] += 1

    def annotate(self, key: str, value: str) -> None:
        self.body["metadata"].setdefault("annotations", {})[key] = value


def scheduled(expression: str = "0 * * * *", **changes: Any) -> World:
    """Give a world with a scheduled pipeline that was created just now."""
    body = gen.pipeline_body(schedule=expression, **changes)
    body["metadata"]["creationTimestamp"] = format_time(gen.NOW)
    return World(body=body)


def one_shot(**changes: Any) -> World:
    return World(body=gen.pipeline_body(**changes))
