"""Services of AWS for tests: moto's, and one that refuses everything in one way."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
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


class Refusing(ThreadingHTTPServer):
    """Answers every request with one error of AWS, and counts them."""

    daemon_threads = True

    def __init__(self, code: str, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.code, self.status, self.asked = code, status, 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Refusal(BaseHTTPRequestHandler):
    server: Refusing

    def do_POST(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps({"__type": self.server.code, "Message": "no"}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def refusing(code: str, status: int = 400) -> Iterator[Refusing]:
    """Give a service that refuses every request."""
    with Refusing(code, status) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


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
