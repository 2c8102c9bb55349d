"""The composition root: puts the parts together, leads, works, and ends in order."""

import asyncio
import logging
import signal
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from enum import IntEnum
from itertools import chain
from typing import Any

import kopf

from lakehouse_operator.core.config import Config
from lakehouse_operator.core.plan import Manifest
from lakehouse_operator.core.readings import Reading, readings
from lakehouse_operator.delivery.courier import Courier
from lakehouse_operator.delivery.posting import Poster
from lakehouse_operator.delivery.sender import Sender
from lakehouse_operator.delivery.topics import Topics
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.handlers.informer import build_registry, informer_settings
from lakehouse_operator.handlers.intake import Intake
from lakehouse_operator.handlers.lease import Elector, LeadershipLostError
from lakehouse_operator.handlers.ledger import RunLedger
from lakehouse_operator.handlers.queue import WorkQueue
from lakehouse_operator.handlers.reconciler import Reconciler
from lakehouse_operator.handlers.register import REGISTRATIONS
from lakehouse_operator.handlers.resync import Resync
from lakehouse_operator.handlers.secret_reader import secret_reader
from lakehouse_operator.kube.access import Access, AccessError, find_access
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import EVENTS
from lakehouse_operator.kube.errors import ClusterError, ConflictError
from lakehouse_operator.kube.execute import Executor
from lakehouse_operator.kube.store import Key, Store
from lakehouse_operator.settings import Options, SettingsError, parse_options, read_config
from lakehouse_operator.telemetry.events import EventRecorder
from lakehouse_operator.telemetry.log import configure_logging
from lakehouse_operator.telemetry.metrics import Metrics
from lakehouse_operator.telemetry.promises import PromiseMetrics
from lakehouse_operator.telemetry.server import Server

DRAIN_SECONDS = 10.0
"""How long what is under way may take at the end; the Pod's grace period is 30 s."""
SPARE_CONNECTIONS = 4
"""Beside one for each worker: for events and for the resync."""
FLUSH_SECONDS = 2.0
"""How long the last events may take."""
NOTICE_SECONDS = 3.0
"""How long messages that are under way may take to arrive and be noted."""
STUCK_SECONDS = 180.0
"""A key that has been waiting, or worked on, for so long will not come to an end by itself."""
_log = logging.getLogger(__name__)


class ExitCode(IntEnum):
    """How the process ends."""

    STOPPED = 0
    FAILED = 1
    WRONG_SETTINGS = 2
    LEADERSHIP_LOST = 3
    CLUSTER_UNUSABLE = 4


class Operator:
    """All parts of one process and how they know each other."""

    def __init__(self, *, options: Options, config: Config, access: Access) -> None:
        self._options = options
        self.metrics = metrics = Metrics()
        self.lease_client = Client(access, count=metrics.count_call)
        self.elector = Elector(
            client=self.lease_client,
            namespace=options.lease_namespace,
            name=options.lease_name,
            identity=options.identity,
            clock=utc_now,
        )
        connections = options.workers + SPARE_CONNECTIONS
        self.client = Client(access, guard=self.elector.require, count=metrics.count_call, connections=connections)
        self.recorder = EventRecorder(
            post=self._post_event, clock=utc_now, instance=options.identity, dropped=metrics.events_dropped.inc
        )
        self._build_loop(config, access)
        self.server = Server(
            health={"queue": self._stuck, "watches": self.resync.deaf, "lease": self._lease_problem},
            ready={"lease": self._lease_unknown},
            metrics=metrics.page,
        )
        self._working = False
        self._show_gauges()

    def _build_loop(self, config: Config, access: Access) -> None:
        self.store = Store(
            {kind: one.references for kind, one in REGISTRATIONS.items()},
            {kind: one.shown for kind, one in REGISTRATIONS.items() if one.shown is not None},
        )
        self.queue = WorkQueue()
        self.ledger = RunLedger(limits=config.max_active_runs, store=self.store, wake=self.queue.add)
        emit = self.recorder.emit
        self._build_post(config)
        self.reconciler = Reconciler(
            config=config,
            registrations=REGISTRATIONS,
            client=self.client,
            store=self.store,
            queue=self.queue,
            ledger=self.ledger,
            executor=Executor(client=self.client, store=self.store, emit=emit, wake=self.queue.add),
            courier=self.courier,
            emit=emit,
            clock=utc_now,
            metrics=self.metrics,
        )
        self.resync = Resync(
            client=self.client,
            store=self.store,
            queue=self.queue,
            namespaces=self._options.namespaces,
            interval=config.resync_interval,
            clock=utc_now,
            metrics=self.metrics,
        )
        intake = Intake(store=self.store, queue=self.queue, ledger=self.ledger, metrics=self.metrics)
        kinds = [registration.kind for registration in REGISTRATIONS.values()]
        self._registry = build_registry(
            kinds=kinds, access=access, on_resource=intake.resource, on_driver=intake.driver
        )

    def _build_post(self, config: Config) -> None:
        """Make what tells people, and what Prometheus is told of the same."""
        self.poster = Poster(config.notifications)
        sender = Sender(
            poster=self.poster, topics=Topics(config), read_secret=secret_reader(self.client), clock=utc_now
        )
        self.courier = Courier[Key](
            send=sender.send,
            wake=self.queue.add,
            leads=lambda: self.elector.leads,
            clock=utc_now,
            count=self.metrics.count_notification,
        )
        self.metrics.add(PromiseMetrics(self._readings))

    def _readings(self) -> Iterator[Reading]:
        bodies = (self.store.resource(key) for key in self.store.resources())
        return chain.from_iterable(readings(body, utc_now()) for body in bodies if body is not None)

    def _show_gauges(self) -> None:
        self.metrics.gauges(
            [
                ("queue_depth", "Keys waiting for a worker", lambda: self.queue.depth),
                ("queue_working", "Keys being worked on", lambda: self.queue.working),
                ("queue_oldest_seconds", "Age of the oldest key in line or in work", lambda: self.queue.oldest_seconds),
                ("leader", "1 while this process leads", lambda: self.elector.leads),
                ("active_runs", "Driver Pods that have not finished", self.store.active_total),
                ("waiting_runs", "Runs that wait for room", lambda: self.ledger.waiting),
            ]
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve, stand by, lead, work; return in order after `stop` is set.

        Raises:
            LeadershipLostError: another process may act now.
            ClusterError: the cluster cannot be used, seen at the start.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.lease_client)
            await stack.enter_async_context(self.client)
            await stack.enter_async_context(self.poster)
            await self.server.start(self._options.host, self._options.port)
            stack.push_async_callback(self.server.stop)
            await _first(self.elector.acquire(), stop.wait())
            if not stop.is_set():
                stack.push_async_callback(self.elector.release)
                await self._lead(stop)

    async def _lead(self, stop: asyncio.Event) -> None:
        """Work until told to stop. Everything but the informer starts before it, because it ends what starts after."""
        hold = asyncio.create_task(self.elector.hold())
        await _first(self.resync.fill(), stop.wait(), hold)
        workers = [asyncio.create_task(self.reconciler.work()) for _ in range(self._options.workers)]
        others = [asyncio.create_task(self.resync.run()), asyncio.create_task(self.recorder.run())]
        informer_stop = asyncio.Event()
        informer = asyncio.create_task(self._watch(informer_stop, stop))
        self._working = True
        try:
            await _first(stop.wait(), hold, informer, *workers, *others)
        finally:
            self._working = False
            await self.courier.drain(NOTICE_SECONDS if self.elector.leads else 0)
            self.queue.close()
            await asyncio.wait(workers, timeout=DRAIN_SECONDS)
            await _cancel_after(self.recorder.flush(), FLUSH_SECONDS)
            informer_stop.set()
            await asyncio.wait([informer], timeout=DRAIN_SECONDS)
            await _cancel([hold, informer, *workers, *others])

    async def _watch(self, informer_stop: asyncio.Event, stop: asyncio.Event) -> None:
        """Run kopf, which takes over the signals when it starts: they are taken back as soon as it is ready."""
        ready = asyncio.Event()
        taking_back = asyncio.create_task(_take_back_signals(ready, stop))
        try:
            await kopf.operator(
                registry=self._registry,
                settings=informer_settings(),
                namespaces=self._options.namespaces,
                clusterwide=not self._options.namespaces,
                standalone=True,
                ready_flag=ready,
                stop_flag=informer_stop,
            )
        finally:
            taking_back.cancel()

    async def _post_event(self, namespace: str, manifest: Manifest) -> None:
        try:
            await self.client.create(EVENTS, namespace, manifest)
        except ConflictError:
            return  # told before this process started

    def _stuck(self) -> str | None:
        age = self.queue.oldest_seconds
        return f"a key has been waiting or worked on for {age:.0f} s" if age > STUCK_SECONDS else None

    def _lease_problem(self) -> str | None:
        return "the lease was not renewed in time" if self._working and not self.elector.leads else None

    def _lease_unknown(self) -> str | None:
        return None if self.elector.known else "the lease has not been read yet; the log says why"


async def _first(*waits: Coroutine[Any, Any, Any] | asyncio.Task[Any]) -> None:
    """Wait until one of several is done, end the coroutines among them, and raise what it raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    given = [wait for wait in waits if isinstance(wait, asyncio.Task)]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await _cancel([task for task in tasks if task not in given and task not in done])
    for task in done:
        task.result()


async def _cancel_after(work: Coroutine[Any, Any, None], seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(work, seconds)


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _take_back_signals(ready: asyncio.Event, stop: asyncio.Event) -> None:
    await ready.wait()
    _take_signals(stop)


def _take_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _run(operator: Operator) -> None:
    stop = asyncio.Event()
    _take_signals(stop)
    await operator.run(stop)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the operator; answers its exit code."""
    options = parse_options(arguments)
    configure_logging(options.log_level)
    try:
        config = read_config(options.settings)
        access = find_access(options.kubeconfig)
        asyncio.run(_run(Operator(options=options, config=config, access=access)))
    except (SettingsError, AccessError) as error:
        _log.error("cannot start: %s", error)
        return ExitCode.WRONG_SETTINGS
    except LeadershipLostError as error:
        _log.error("leadership lost: %s", error)
        return ExitCode.LEADERSHIP_LOST
    except ClusterError as error:
        _log.error("the cluster cannot be used: %s", error)
        return ExitCode.CLUSTER_UNUSABLE
    except OSError as error:
        _log.error("cannot serve HTTP: %s", error)
        return ExitCode.FAILED
    except Exception:  # noqa: BLE001 - the last word of the process goes to its log
        _log.exception("a part of the operator has died; the process ends so that a fresh one can take over")
        return ExitCode.FAILED
    _log.info("stopped")
    return ExitCode.STOPPED
