"""The client, and the errors it makes of answers, against a real API server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.kube.access import Access, read_kubeconfig
from lakehouse_operator.kube.client import PAGE, Client
from lakehouse_operator.kube.endpoints import CONFIG_MAPS, PODS, Endpoint
from lakehouse_operator.kube.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    UnavailableError,
)
from lakehouse_operator.kube.refusals import refusal_of
from tests.apiserver.world import LIMIT_RANGES, QUOTAS, SERVICE_ACCOUNTS, pod, temporary_namespace

pytestmark = pytest.mark.apiserver
FINALIZER = "lakehouse.dev/driver-result"


def config_map(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"key": "value"}}


async def test_an_object_is_created_read_and_deleted(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        made = await client.create(CONFIG_MAPS, namespace, config_map("one"))

        assert await client.get(CONFIG_MAPS, namespace, "one") == made

        await client.delete(CONFIG_MAPS, namespace, "one", uid=made["metadata"]["uid"])
        with pytest.raises(NotFoundError):
            await client.get(CONFIG_MAPS, namespace, "one")


async def test_a_second_object_of_the_same_name_is_a_conflict_that_tells_so(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        await client.create(CONFIG_MAPS, namespace, config_map("one"))

        with pytest.raises(ConflictError) as conflict:
            await client.create(CONFIG_MAPS, namespace, config_map("one"))

        assert conflict.value.exists


async def test_only_the_object_with_the_uid_is_deleted(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        await client.create(CONFIG_MAPS, namespace, config_map("one"))

        with pytest.raises(ConflictError) as conflict:
            await client.delete(CONFIG_MAPS, namespace, "one", uid="another")

        assert not conflict.value.exists


async def test_a_list_goes_over_all_pages_and_keeps_to_its_labels(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        wanted = {f"wanted-{number}" for number in range(PAGE + 3)}
        await asyncio.gather(*(client.create(CONFIG_MAPS, namespace, config_map(name, of="us")) for name in wanted))
        await client.create(CONFIG_MAPS, namespace, config_map("other"))

        whole = {item["metadata"]["name"]: item async for item in client.list(CONFIG_MAPS, namespace, labels="of=us")}
        lean = client.list(CONFIG_MAPS, namespace, labels="of=us", metadata_only=True)

        assert set(whole) == wanted
        assert not [item async for item in lean if "data" in item]


async def test_a_replace_over_a_changed_object_is_a_conflict(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        first = await client.create(CONFIG_MAPS, namespace, config_map("one"))
        await client.replace(CONFIG_MAPS, namespace, "one", first | {"data": {"key": "new"}})

        with pytest.raises(ConflictError) as conflict:
            await client.replace(CONFIG_MAPS, namespace, "one", first | {"data": {"key": "newer"}})

        assert not conflict.value.exists


async def test_our_finalizer_goes_and_others_stay(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        held = config_map("held")
        held["metadata"]["finalizers"] = ["example.org/other", FINALIZER]
        made = await client.create(CONFIG_MAPS, namespace, held)

        left = await client.remove_finalizer(CONFIG_MAPS, made, FINALIZER)

        assert left["metadata"]["finalizers"] == ["example.org/other"]
        await client.remove_finalizer(CONFIG_MAPS, left, "example.org/other")


async def test_a_finalizer_is_not_taken_off_an_object_that_changed(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        held = config_map("held")
        held["metadata"]["finalizers"] = [FINALIZER]
        made = await client.create(CONFIG_MAPS, namespace, held)
        await client.remove_finalizer(CONFIG_MAPS, made, FINALIZER)

        with pytest.raises(RejectedError):
            await client.remove_finalizer(CONFIG_MAPS, made, FINALIZER)


async def refused(client: Client, namespace: str, manifest: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises((ForbiddenError, RejectedError)) as error:
        await client.create(PODS, namespace, manifest)
    refusal = refusal_of(error.value)
    assert refusal is not None
    return refusal.reason, refusal.message


async def test_a_quota_that_is_used_up_is_told(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        quota = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "512Mi"}}}
        await client.create(QUOTAS, namespace, quota)
        await quota_known(client, namespace)

        reason, message = await refused(client, namespace, pod("big"))

        assert reason == "QuotaExceeded"
        assert "requests.memory=512Mi" in message


async def test_a_quota_that_wants_a_limit_is_told(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        quota = {"metadata": {"name": "strict"}, "spec": {"hard": {"limits.cpu": "1"}}}
        await client.create(QUOTAS, namespace, quota)
        await quota_known(client, namespace)

        reason, message = await refused(client, namespace, pod("unlimited"))

        assert reason == "QuotaExceeded"
        assert "limits.cpu" in message


async def quota_known(client: Client, namespace: str) -> None:
    """Wait for the controller: an API server lets Pods pass as long as a quota has no status."""
    while True:
        quotas = [quota async for quota in client.list(QUOTAS, namespace)]
        if all((quota.get("status") or {}).get("hard") for quota in quotas):
            return
        await asyncio.sleep(0.05)


async def test_a_limit_range_that_a_pod_exceeds_is_told(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        limit = {"type": "Container", "max": {"memory": "512Mi"}}
        await client.create(LIMIT_RANGES, namespace, {"metadata": {"name": "small"}, "spec": {"limits": [limit]}})

        reason, message = await until_refused(client, namespace, pod("big"))

        assert reason == "LimitRangeRefused"
        assert "maximum memory usage per Container is 512Mi" in message


async def until_refused(client: Client, namespace: str, manifest: dict[str, Any]) -> tuple[str, str]:
    """Try until the API server's own cache knows the new rule."""
    while True:
        try:
            made = await client.create(PODS, namespace, manifest)
        except (ForbiddenError, RejectedError) as error:
            refusal = refusal_of(error)
            assert refusal is not None
            return refusal.reason, refusal.message
        await client.delete(PODS, namespace, made["metadata"]["name"])


async def test_pod_security_is_told(client: Client) -> None:
    async with temporary_namespace(client, {"pod-security.kubernetes.io/enforce": "restricted"}) as namespace:
        reason, message = await refused(client, namespace, pod("free"))

    assert reason == "PodSecurityRefused"
    assert "allowPrivilegeEscalation" in message


async def test_a_missing_service_account_is_told(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        reason, message = await refused(client, namespace, pod("lonely", serviceAccountName="nobody"))

    assert reason == "ServiceAccountMissing"
    assert "nobody" in message


async def test_a_missing_priority_class_is_told(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        reason, message = await refused(client, namespace, pod("vip", priorityClassName="none-such"))

    assert reason == "PriorityClassMissing"
    assert "none-such" in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"tolerations": [{"operator": "Whatever"}]}, "operator", id="a value that is not allowed"),
        pytest.param({"nodeSelector": "gpu"}, "nodeSelector", id="a value of the wrong type"),
        pytest.param({"containers": []}, "containers", id="a required field that is empty"),
    ],
)
async def test_an_invalid_pod_is_told(client: Client, changes: dict[str, Any], said: str) -> None:
    async with temporary_namespace(client) as namespace:
        reason, message = await refused(client, namespace, pod("odd", **changes))

    assert reason == "InvalidPod"
    assert said in message


POLICIES = Endpoint(
    api_version="admissionregistration.k8s.io/v1",
    plural="validatingadmissionpolicies",
    kind="ValidatingAdmissionPolicy",
)
BINDINGS = Endpoint(
    api_version="admissionregistration.k8s.io/v1",
    plural="validatingadmissionpolicybindings",
    kind="ValidatingAdmissionPolicyBinding",
)


async def test_a_policy_of_the_cluster_is_told(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        match = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}]}
        match["resourceRules"][0]["resources"] = ["pods"]
        only = {"name": "only", "expression": f"request.namespace == '{namespace}'"}
        rule = {"expression": "false", "message": "no Pods today"}
        spec = {"matchConstraints": match, "matchConditions": [only], "validations": [rule]}
        binding = {"policyName": namespace, "validationActions": ["Deny"]}
        await client.create(POLICIES, "", {"metadata": {"name": namespace}, "spec": spec})
        await client.create(BINDINGS, "", {"metadata": {"name": namespace}, "spec": binding})
        try:
            reason, message = await until_refused(client, namespace, pod("any"))
        finally:
            await client.delete(BINDINGS, "", namespace)
            await client.delete(POLICIES, "", namespace)

    assert reason == "AdmissionRefused"
    assert "no Pods today" in message


async def token_of(client: Client, namespace: str) -> str:
    path = Endpoint(api_version="v1", plural="serviceaccounts", kind="ServiceAccount")
    request = Endpoint(api_version=path.api_version, plural=f"{path.plural}/driver/token", kind="TokenRequest")
    made = await client.create(request, namespace, {"spec": {"expirationSeconds": 3600}})
    return str(made["status"]["token"])


def by_token(apiserver: ControlPlane, file: Path) -> Access:
    admin = read_kubeconfig(apiserver.kubeconfig)
    return Access(server=admin.server, authority=admin.authority, token_file=file)


async def test_a_service_account_without_rights_is_told_what_it_lacks(
    apiserver: ControlPlane, client: Client, tmp_path: Path
) -> None:
    async with temporary_namespace(client) as namespace:
        file = tmp_path / "token"
        file.write_text(await token_of(client, namespace))

        async with Client(by_token(apiserver, file)) as poor:
            reason, message = await refused(poor, namespace, pod("any"))

    assert reason == "Forbidden"
    assert 'cannot create resource "pods"' in message


async def test_a_replaced_token_is_used_once_the_old_one_is_refused(
    apiserver: ControlPlane, client: Client, tmp_path: Path
) -> None:
    async with temporary_namespace(client) as namespace:
        file = tmp_path / "token"
        file.write_text("not a token")
        async with Client(by_token(apiserver, file)) as rotated:
            with pytest.raises(ForbiddenError) as unknown:
                await rotated.get(PODS, namespace, "any")
            file.write_text(await token_of(client, namespace))
            with pytest.raises(ForbiddenError) as known:
                await rotated.get(PODS, namespace, "any")

    assert (unknown.value.code, known.value.code) == (401, 403)


async def test_a_namespace_that_ends_takes_nothing_and_is_no_refusal(client: Client) -> None:
    async with temporary_namespace(client) as namespace:
        held = config_map("held")
        held["metadata"]["finalizers"] = [FINALIZER]
        made = await client.create(CONFIG_MAPS, namespace, held)
        await client.delete(Endpoint(api_version="v1", plural="namespaces", kind="Namespace"), "", namespace)

        with pytest.raises(ForbiddenError) as error:
            await client.create(PODS, namespace, pod("late"))

        assert error.value.namespace_ends
        assert refusal_of(error.value) is None
        await client.remove_finalizer(CONFIG_MAPS, made, FINALIZER)


async def test_a_call_made_while_the_api_server_restarts_is_answered(apiserver: ControlPlane) -> None:
    failed = asyncio.Event()

    def count(_verb: str, code: int) -> None:
        if code == 0:
            failed.set()

    apiserver.stop_apiserver()
    async with Client(read_kubeconfig(apiserver.kubeconfig), count=count) as patient:
        call = asyncio.create_task(patient.get(SERVICE_ACCOUNTS, "default", "default"))
        await failed.wait()
        apiserver.start_apiserver()

        assert (await call)["metadata"]["name"] == "default"


async def test_a_server_that_is_not_there_is_unavailable_and_the_call_is_named() -> None:
    async with Client(Access(server="https://127.0.0.1:1")) as nowhere:
        with pytest.raises(UnavailableError, match="GET /api/v1/namespaces/any/pods/any: no answer"):
            await nowhere.get(PODS, "any", "any")


async def test_a_guard_that_says_no_keeps_every_change_from_the_server(apiserver: ControlPlane, client: Client) -> None:
    class NotLeadingError(Exception):
        pass

    def guard() -> None:
        raise NotLeadingError

    async with (
        temporary_namespace(client) as namespace,
        Client(read_kubeconfig(apiserver.kubeconfig), guard=guard) as guarded,
    ):
        with pytest.raises(NotLeadingError):
            await guarded.create(CONFIG_MAPS, namespace, config_map("one"))

        with pytest.raises(NotFoundError):
            await guarded.get(CONFIG_MAPS, namespace, "one")
