"""An endpoint for OpenLineage events on loopback, which holds every event to the official schemas."""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from typing_extensions import override

from lakehouse_dev.certificates import KeyPair

SCHEMAS = {
    document["$id"]: document
    for document in (json.loads(file.read_text()) for file in (Path(__file__).parent / "openlineage").glob("*.json"))
}
_REGISTRY: Registry[Any] = Registry().with_resources(
    (key, Resource.from_contents(each)) for key, each in SCHEMAS.items()
)


def problems(event: dict[str, Any]) -> list[str]:
    """Say where an event, or one of its facets, is not what its schema asks for."""
    found = [*_against(event["schemaURL"], event, "event")]
    for place, key, facet in _facets(event):
        schema = facet["_schemaURL"].partition("#")[0]
        if schema not in SCHEMAS:
            found.append(f"{place}: {schema} is not known")
            continue
        found += _against(facet["_schemaURL"], facet, place)
        found += [] if key in SCHEMAS[schema]["properties"] else [f"{place}: {key} is no place for {schema}"]
    return found


def _against(schema: str, document: Any, place: str) -> list[str]:
    validator = Draft202012Validator(
        {"$ref": schema}, registry=_REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{place}{error.json_path.removeprefix('$')}: {error.message}" for error in validator.iter_errors(document)]


def _facets(event: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    datasets = [(f"{side}[{place}]", one) for side in ("inputs", "outputs") for place, one in enumerate(event[side])]
    for place, owner in [("run", event["run"]), ("job", event["job"]), *datasets]:
        for group in ("facets", "inputFacets", "outputFacets"):
            for key, facet in owner.get(group, {}).items():
                yield f"{place}.{group}.{key}", key, facet


class LineageEndpoint:
    """Use as a context manager. `status` is what it answers; None: it takes the request and is silent."""

    def __init__(self, *, tls: KeyPair | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.status: int | None = 201
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls.certificate, tls.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"{self._scheme}://localhost:{self._server.server_port}/api/v1/lineage"

    def settings(self, **more: Any) -> dict[str, Any]:
        """Give what a run is told of this endpoint."""
        return {"endpoint": {"url": self.url, "timeout": "10s"} | more}

    def told(self) -> list[str]:
        """Give the types of the events that came, in order."""
        return [event["eventType"] for event in self.events]

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if self.status is None:
            self._closing.wait()
            request.close_connection = True
            return
        event = json.loads(body)
        wrong = "; ".join(problems(event)).encode()
        if self.status < 300 and not wrong:
            self.events.append(event)
            self.keys.append(request.headers["Authorization"])
        request.send_response(422 if wrong else self.status)
        request.send_header("Content-Length", str(len(wrong)))
        request.end_headers()
        request.wfile.write(wrong)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                endpoint._take(self)

            @override
            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
