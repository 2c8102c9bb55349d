"""An HTTP proxy on loopback between S3A and the object store that misbehaves as networks and lesser stores do."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

from typing_extensions import override


@dataclass(kw_only=True)
class Faults:
    """What the proxy does wrong, and what it saw."""

    lost_answers: int = 0
    """So many uploads of commits still reach the store without their answer reaching the writer."""
    drops_condition: bool = False
    """`If-None-Match` never reaches the store."""
    answers: list[int] = field(default_factory=list)
    """The store's answers to uploads of commits, lost or not."""


@contextmanager
def fault_proxy(upstream_port: int, faults: Faults) -> Iterator[str]:
    """Serve `faults` in front of the store at `upstream_port`; yields the endpoint's URL."""
    handler = type("Handler", (_Handler,), {"upstream_port": upstream_port, "faults": faults})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream_port: ClassVar[int]
    faults: ClassVar[Faults]

    def forward(self) -> None:
        response, body = self.ask_store()
        if self.is_commit() and self.loses_answer(response.status):
            self.close_connection = True
            return
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        # the answer to a HEAD announces the length of what it does not send
        length = response.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def ask_store(self) -> tuple[http.client.HTTPResponse, bytes]:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        store = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=60)
        try:
            store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if self.passes(name):
                    store.putheader(name, value)
            store.endheaders(body)
            response = store.getresponse()
            return response, response.read()
        finally:
            store.close()

    def passes(self, header: str) -> bool:
        if header.lower() == "expect":
            return False  # answered by this server already
        return not (self.faults.drops_condition and header.lower() == "if-none-match")

    def is_commit(self) -> bool:
        return self.command == "PUT" and self.path.split("?")[0].endswith(".json")

    def loses_answer(self, status: int) -> bool:
        self.faults.answers.append(status)
        if not self.faults.lost_answers:
            return False
        self.faults.lost_answers -= 1
        return True

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests look at `Faults.answers`."""

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = forward  # noqa: N815 - the names http.server calls
