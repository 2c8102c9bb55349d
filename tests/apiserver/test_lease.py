"""The election, against a real API server, with times short enough to wait for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.handlers.clock import utc_now
from lakehouse_operator.handlers.lease import Elector, LeadershipLostError, Timing
from lakehouse_operator.kube.client import Client
from lakehouse_operator.kube.endpoints import LEASES
from tests.apiserver.world import temporary_namespace

pytestmark = pytest.mark.apiserver
SHORT = Timing(duration=3, renew_deadline=2.0, retry=0.1)


@pytest.fixture
async def namespace(apiserver: ControlPlane, client: Client) -> AsyncIterator[str]:
    async with temporary_namespace(client) as name:
        yield name


def elector(client: Client, namespace: str, identity: str) -> Elector:
    return Elector(client=client, namespace=namespace, name="operator", identity=identity, clock=utc_now, timing=SHORT)


async def test_of_many_that_start_at_once_one_leads(client: Client, namespace: str) -> None:
    electors = [elector(client, namespace, f"operator-{number}") for number in range(8)]
    tasks = [asyncio.create_task(one.acquire()) for one in electors]

    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(SHORT.retry * 3)

    assert [one.leads for one in electors].count(True) == 1
    for task in tasks:
        task.cancel()


async def test_nobody_may_act_before_it_leads(client: Client, namespace: str) -> None:
    with pytest.raises(LeadershipLostError):
        elector(client, namespace, "early").require()


async def test_a_leader_that_renews_stays_and_the_other_waits(client: Client, namespace: str) -> None:
    leader, other = elector(client, namespace, "leader"), elector(client, namespace, "other")
    await leader.acquire()
    hold, wait = asyncio.create_task(leader.hold()), asyncio.create_task(other.acquire())

    await asyncio.sleep(SHORT.duration + 1)

    assert leader.leads
    assert not other.leads
    hold.cancel()
    wait.cancel()


async def test_a_leader_that_renews_no_more_stops_acting_before_another_begins(client: Client, namespace: str) -> None:
    leader, other = elector(client, namespace, "leader"), elector(client, namespace, "other")
    await leader.acquire()

    await other.acquire()

    assert other.leads
    assert not leader.leads
    assert leader.renew_age >= SHORT.duration


async def test_a_lease_given_back_is_taken_at_once(client: Client, namespace: str) -> None:
    leader, other = elector(client, namespace, "leader"), elector(client, namespace, "other")
    await leader.acquire()

    await leader.release()
    async with asyncio.timeout(SHORT.duration - 1):
        await other.acquire()

    assert not leader.leads
    assert other.leads


async def test_a_lease_taken_by_force_ends_the_leader(client: Client, namespace: str) -> None:
    leader = elector(client, namespace, "leader")
    await leader.acquire()
    lease = await client.get(LEASES, namespace, "operator")
    lease["spec"]["holderIdentity"] = lease["spec"]["renewTime"] = None
    await client.replace(LEASES, namespace, "operator", lease)

    with pytest.raises(LeadershipLostError):
        await leader.hold()

    assert not leader.leads


async def test_a_lease_that_was_deleted_ends_the_leader(client: Client, namespace: str) -> None:
    leader = elector(client, namespace, "leader")
    await leader.acquire()
    await client.delete(LEASES, namespace, "operator")

    with pytest.raises(LeadershipLostError):
        await leader.hold()


async def test_a_renewal_whose_answer_was_lost_is_recognised(client: Client, namespace: str) -> None:
    leader = elector(client, namespace, "leader")
    await leader.acquire()
    before = leader._lease
    await leader._renew()
    leader._lease = before  # as if the answer had never come

    await leader._renew()

    assert leader.leads


async def test_a_server_that_is_away_too_long_ends_the_leader(apiserver: ControlPlane, client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        leader = elector(client, namespace, "leader")
        await leader.acquire()
        apiserver.stop_apiserver()
        try:
            with pytest.raises(LeadershipLostError):
                await leader.hold()
        finally:
            apiserver.start_apiserver()
