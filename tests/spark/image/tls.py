"""A proxy on loopback that ends TLS before a server."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import ClassVar

from typing_extensions import override

from lakehouse_dev.certificates import KeyPair

CHUNK = 1 << 16


@contextmanager
def tls_proxy(upstream: int, pair: KeyPair) -> Iterator[int]:
    """Serve TLS on a free port and pass everything on to the port `upstream`; yields the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    handler = type("Handler", (_Handler,), {"upstream": upstream, "context": context})
    with ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseRequestHandler):
    upstream: ClassVar[int]
    context: ClassVar[ssl.SSLContext]

    @override
    def handle(self) -> None:
        with (
            suppress(OSError),
            self.context.wrap_socket(self.request, server_side=True) as client,
            socket.create_connection(("127.0.0.1", self.upstream)) as server,
        ):
            back = Thread(target=_pump, args=(server, client))
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until the source ends, then end the target, which ends the other direction too."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
