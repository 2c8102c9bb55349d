"""A real Kubernetes API without nodes, for tests: etcd and kube-apiserver on loopback, ready in seconds."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from lakehouse_dev import components, tools
from lakehouse_dev.api import Api
from lakehouse_dev.certificates import Authority
from lakehouse_dev.components import Layout
from lakehouse_dev.errors import DevError
from lakehouse_dev.processes import Process, spawn_bound
from lakehouse_dev.waiting import free_ports, wait_until

READY_TIMEOUT_SECONDS = 60
_ATTEMPTS = 3
_APISERVER_GRACE_SECONDS = 2  # its own drain waits longer, for watches that would never end


class ControlPlane:
    """etcd and kube-apiserver, on request with the controllers and the scheduler; a context manager.

    The programs die with the thread that started them, so a killed test run leaves none behind. Start it from
    the main thread. Data lives in a temporary directory and is gone after `stop`.
    """

    def __init__(self, *, controller_manager: bool = False, scheduler: bool = False) -> None:
        self._with_controller_manager = controller_manager
        self._with_scheduler = scheduler
        self._processes: dict[str, Process] = {}
        self.directory = Path()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def kubeconfig(self) -> Path:
        """Return the path of the administrator's kubeconfig."""
        return self.directory / "admin.kubeconfig"

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return self._layout.server

    def process(self, name: str) -> Process:
        """Return a running program by its name, such as `kube-apiserver`."""
        return self._processes[name]

    def start(self) -> None:
        """Start everything and return when the API answers."""
        programs = tools.directory(tools.KUBERNETES)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._start_once(programs)
            except DevError:  # another program may have taken a port that was free a moment ago
                self.stop()
                if attempt == _ATTEMPTS:
                    raise
        return None

    def stop(self) -> None:
        """End all programs at once and remove the data."""
        for process in reversed(self._processes.values()):
            process.kill()
        self._processes.clear()
        shutil.rmtree(self.directory, ignore_errors=True)

    def restart_apiserver(self) -> None:
        """End the API server as an upgrade would, start it again on the same port, return when it answers."""
        self.stop_apiserver()
        self.start_apiserver()

    def stop_apiserver(self) -> None:
        """End the API server and leave everything else running."""
        self._processes["kube-apiserver"].stop(grace=_APISERVER_GRACE_SECONDS)

    def start_apiserver(self) -> None:
        """Start the API server and return when it answers."""
        self._spawn("kube-apiserver", components.apiserver)
        self._wait_ready()

    def _start_once(self, programs: Path) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="lakehouse-apiserver-"))
        identity = components.create_identity(Authority.create(self.directory / "pki"))
        etcd_port, etcd_peer_port, api_port = free_ports(3)
        self._layout = Layout(
            programs=programs,
            directory=self.directory,
            identity=identity,
            etcd_port=etcd_port,
            etcd_peer_port=etcd_peer_port,
            api_port=api_port,
        )
        self._layout.kubeconfig("admin", identity.admin)
        self._spawn("etcd", components.etcd)
        self.start_apiserver()
        if self._with_controller_manager:
            self._spawn("kube-controller-manager", components.controller_manager)
            self._wait_for("/api/v1/namespaces/default/serviceaccounts/default")
        if self._with_scheduler:
            self._spawn("kube-scheduler", components.scheduler)

    def _spawn(self, name: str, command: Callable[[Layout], list[str]]) -> None:
        log = self.directory / "logs" / f"{name}.log"
        self._processes[name] = spawn_bound(name, command(self._layout), log=log)

    def _wait_ready(self) -> None:
        self._wait_for("/readyz")
        self._wait_for("/api/v1/namespaces/default")

    def _wait_for(self, path: str) -> None:
        api = Api.of(self._layout.server, self._layout.identity.authority, self._layout.identity.admin)

        def answers() -> bool:
            for process in self._processes.values():
                process.require_alive()
            return api.exists(path)

        wait_until(answers, what=f"API server answers {path}", timeout=READY_TIMEOUT_SECONDS)
