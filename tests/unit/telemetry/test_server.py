"""The HTTP server answers what its checks say."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from lakehouse_operator.telemetry.metrics import Metrics
from lakehouse_operator.telemetry.server import Server


@pytest.fixture
async def problems() -> dict[str, str]:
    return {}


@pytest.fixture
async def url(problems: dict[str, str]) -> AsyncIterator[str]:
    metrics = Metrics()
    metrics.launches.labels("IngestPipeline").inc()
    metrics.gauges([("queue_depth", "Keys waiting", lambda: 3)])
    server = Server(health={"queue": lambda: problems.get("queue")}, ready={}, metrics=metrics.page)
    port = await server.start("127.0.0.1", 0)
    yield f"http://127.0.0.1:{port}"
    await server.stop()


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_all_is_well_while_no_check_finds_anything(url: str) -> None:
    assert await get(f"{url}/healthz") == (200, '{"ok": true}')
    assert await get(f"{url}/readyz") == (200, '{"ok": true}')


async def test_a_check_that_fails_is_told_with_its_reason(url: str, problems: dict[str, str]) -> None:
    problems["queue"] = "a key is stuck"

    assert await get(f"{url}/healthz") == (503, '{"failed": {"queue": "a key is stuck"}}')
    assert (await get(f"{url}/readyz"))[0] == 200


async def test_metrics_are_shown_as_prometheus_reads_them(url: str) -> None:
    status, page = await get(f"{url}/metrics")

    assert status == 200
    assert 'lakehouse_launches_total{kind="IngestPipeline"} 1.0' in page
    assert "lakehouse_queue_depth 3.0" in page
