"""The node's image store: what it holds, what a new image adds, and what a dead cluster's containers left in it."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lakehouse_dev.cluster import programs
from lakehouse_dev.cluster.programs import CONTAINERD_SOCKET
from lakehouse_dev.errors import DevError
from lakehouse_dev.image_store import Image
from lakehouse_dev.processes import spawn_bound
from lakehouse_dev.waiting import wait_until

READY_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Store:
    """containerd's store: where it listens, and the command prefix that enters where it does."""

    address: str = CONTAINERD_SOCKET
    inside: Sequence[str] = ()

    def answers(self) -> bool:
        """Tell whether containerd serves the store."""
        return not subprocess.run(self._command("version"), capture_output=True, check=False).returncode

    def images(self) -> list[str]:
        """Return the names of all images."""
        return [name for name in self._ctr("images", "list", "--quiet").split() if name.startswith("localhost/")]

    def load(self, image: Image) -> bool:
        """Add an image unless the store has it, streaming only the layers it lacks; tell whether it was added."""
        if image.name in self.images():
            return False
        present = set(self._ctr("content", "list", "--quiet").split())
        command = self._command("images", "import", "-")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as ctr:
            assert ctr.stdin is not None
            image.write_archive(ctr.stdin, without=present)
            output, _ = ctr.communicate()
        if ctr.returncode:
            raise DevError(f"loading {image.name} failed: {output.decode()}")
        return True

    def remove_containers(self) -> int:
        """Remove the records and file systems of containers none of which runs; return how many there were."""
        names = self._ctr("containers", "list", "--quiet").split()
        if names:
            self._ctr("containers", "delete", *names)
        snapshots = [line.split() for line in self._ctr("snapshots", "list").splitlines()[1:]]
        for name in (fields[0] for fields in snapshots if fields[-1] == "Active"):
            self._ctr("snapshots", "delete", name)
        return len(names)

    def _command(self, *arguments: str) -> list[str]:
        return [*self.inside, "ctr", f"--address={self.address}", "--namespace=k8s.io", *arguments]

    def _ctr(self, *arguments: str) -> str:
        done = subprocess.run(self._command(*arguments), capture_output=True, text=True, check=False)
        if done.returncode:
            raise DevError(f"`ctr {' '.join(arguments[:2])}` failed: {done.stderr.strip()}")
        return done.stdout


@contextmanager
def store_alone(root: Path, log: Path) -> Iterator[Store]:
    """Serve a store that no node uses, from a containerd that runs no containers."""
    with tempfile.TemporaryDirectory(prefix="lakehouse-store-") as scratch:
        config, state = Path(scratch) / "config.toml", Path(scratch) / "state"
        config.write_text(programs.store_config(root, state))
        store = Store(address=str(state / "containerd.sock"))
        # In a mount namespace of its own, so that nothing it mounts can stay.
        containerd = spawn_bound("containerd-store", ["unshare", "--mount", *programs.containerd(config)], log=log)

        def answers() -> bool:
            containerd.require_alive()
            return store.answers()

        try:
            wait_until(answers, what="containerd answers", timeout=READY_TIMEOUT_SECONDS)
            yield store
        finally:
            containerd.stop()
