"""Options of the whole test suite."""

import pytest
from hypothesis import HealthCheck, settings

# A machine that others use too is slow at times: how long an example takes proves nothing.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files")
