"""Options of the whole test suite, and the server that many of its parts share."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# A machine that others use too is slow at times: how long an example takes proves nothing.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files")


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """Return the URL of moto, which stands in for every service of AWS but S3."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (a second, which most tests need not wait)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
