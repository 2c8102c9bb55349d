"""Services of AWS for tests: moto's, and a front before it that makes faults."""

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

import boto3
import httpx
from typing_extensions import override

REGION = "eu-central-1"
IDENTITY = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}
"""What the service account of a Pod gives its job."""


@cache
def client(endpoint: str, service: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, **keys)


def put_secret(endpoint: str, name: str, value: Any) -> str:
    """Create or replace a secret; what is no text is written as JSON. Answers its ARN."""
    text = value if isinstance(value, str) else json.dumps(value)
    secrets = client(endpoint, "secretsmanager")
    try:
        arn: str = secrets.create_secret(Name=name, SecretString=text)["ARN"]
    except secrets.exceptions.ResourceExistsException:
        arn = secrets.put_secret_value(SecretId=name, SecretString=text)["ARN"]
    return arn


class Front(ThreadingHTTPServer):
    """Stands before a service. The operations in `faults` get these errors of AWS, in turn, then the service's answer.

    `*` is any operation, whose error never ends. `asked` names every request, in order.
    """

    daemon_threads = True

    def __init__(self, service: str, faults: Mapping[str, Sequence[str]], status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.service, self.status = service, status
        self.faults = {operation: list(codes) for operation, codes in faults.items()}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self, operation: str) -> str | None:
        """Take note of a request, and give the error that it gets, if any."""
        self.asked.append(operation)
        if "*" in self.faults:
            return self.faults["*"][0]
        waiting = self.faults.get(operation)
        return waiting.pop(0) if waiting else None


class _Passing(BaseHTTPRequestHandler):
    server: Front

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault(self.headers["X-Amz-Target"].rpartition(".")[2])
        if fault:
            self._answer(self.server.status, json.dumps({"__type": fault, "Message": "no"}).encode())
            return
        passed = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        answer = httpx.post(self.server.service, content=body, headers=passed, trust_env=False)
        self._answer(answer.status_code, answer.content)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def front(
    service: str = "", faults: Mapping[str, Sequence[str]] = MappingProxyType({}), *, status: int = 400
) -> Iterator[Front]:
    """Put a front before a service."""
    with Front(service, faults, status) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def refusing(code: str, status: int = 400) -> Iterator[Front]:
    """Give a service that refuses every request in one way."""
    with front(faults={"*": [code]}, status=status) as server:
        yield server


@contextmanager
def identity(variables: dict[str, str] = IDENTITY) -> Iterator[None]:
    """Give this process an identity of AWS, or with other variables none."""
    before = {name: os.environ.get(name) for name in IDENTITY}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
