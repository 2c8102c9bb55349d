"""Who may do what: the operator what it calls, drivers Pods, executors nothing, people what they may do anyway."""

import re
from pathlib import Path
from typing import Any

from lakehouse_api.kinds import GROUP, KINDS
from lakehouse_dev import paths
from lakehouse_operator.kube import endpoints
from lakehouse_operator.kube.endpoints import Endpoint
from tests.chart.conftest import MINIMUM, NAMESPACE, RELEASE, Helm, Manifests, environment, of_kind

Grants = dict[tuple[str, str], set[str]]


def _rules(manifests: Manifests, kind: str, name: str, namespace: str | None = None) -> list[dict[str, Any]]:
    found = [
        one
        for one in of_kind(manifests, kind)
        if one["metadata"]["name"] == name and one["metadata"].get("namespace") == namespace
    ]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    rules: list[dict[str, Any]] = found[0]["rules"]
    return rules


def _grants(rules: list[dict[str, Any]]) -> Grants:
    return {
        (group, one): set(rule["verbs"]) for rule in rules for group in rule["apiGroups"] for one in rule["resources"]
    }


def _group(endpoint: Endpoint) -> str:
    return endpoint.api_version.split("/")[0] if "/" in endpoint.api_version else ""


def test_the_operator_may_do_exactly_what_it_does(helm: Helm) -> None:
    grants = _grants(_rules(helm.render(*MINIMUM), "ClusterRole", RELEASE))

    own = {(GROUP, kind.plural): {"get", "list", "watch"} for kind in KINDS}
    status = {(GROUP, f"{kind.plural}/status"): {"patch"} for kind in KINDS}
    assert grants == {
        **own,
        **status,
        (GROUP, "ingestpipelines/finalizers"): {"update"},
        ("", "pods"): {"get", "list", "watch", "create", "patch", "delete"},
        ("", "configmaps"): {"get", "list", "create", "delete"},
        ("events.k8s.io", "events"): {"create"},
    }


TENANT = ("--set-json", 'settings.tenancy=[{"namespace":"team-*"},{"namespace":"crm"}]')
NOTIFYING = (*TENANT, "--set", "notifications.enabled=true")
NOTIFICATIONS = f"{RELEASE}-notifications"


def test_the_operator_has_rights_on_everything_that_its_client_knows(helm: Helm) -> None:
    manifests = helm.render(*MINIMUM, *NOTIFYING)
    granted = _grants(
        _rules(manifests, "ClusterRole", RELEASE)
        + _rules(manifests, "Role", f"{RELEASE}-lease", NAMESPACE)
        + _rules(manifests, "Role", NOTIFICATIONS, "crm")
    )
    known = [one for one in vars(endpoints).values() if isinstance(one, Endpoint)] + list(endpoints.RESOURCES.values())

    assert known
    assert {(_group(one), one.plural) for one in known} <= set(granted)


def test_the_lease_is_made_by_the_chart_and_the_only_one_the_operator_may_touch(helm: Helm) -> None:
    manifests = helm.render(*MINIMUM)
    [rule] = _rules(manifests, "Role", f"{RELEASE}-lease", NAMESPACE)

    assert [one["metadata"]["name"] for one in of_kind(manifests, "Lease")] == rule["resourceNames"] == [RELEASE]
    assert set(rule["verbs"]) == {"get", "update"}


def test_no_secret_can_be_read_unless_notifications_are_enabled(helm: Helm) -> None:
    manifests = helm.render(*MINIMUM, *TENANT)
    rules = [rule for kind in ("Role", "ClusterRole") for one in of_kind(manifests, kind) for rule in one["rules"]]

    assert {resource for rule in rules for resource in rule["resources"]} >= {"pods", "leases"}
    assert [rule for rule in rules if "secrets" in rule["resources"]] == []


def test_secrets_can_be_read_one_at_a_time_and_only_where_tenants_are(helm: Helm) -> None:
    manifests = helm.render(*MINIMUM, *NOTIFYING, "--set", "notifications.namespaces={team-a}")
    roles = [one for one in of_kind(manifests, "Role") if one["metadata"]["name"] == NOTIFICATIONS]
    bindings = [one for one in of_kind(manifests, "RoleBinding") if one["metadata"]["name"] == NOTIFICATIONS]

    assert sorted(one["metadata"]["namespace"] for one in roles) == ["crm", "team-a"]
    assert all(one["rules"] == [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}] for one in roles)
    assert {who["name"] for one in bindings for who in one["subjects"]} == {RELEASE}


def test_the_secrets_that_can_be_read_can_be_named(helm: Helm) -> None:
    manifests = helm.render(*MINIMUM, *NOTIFYING, "--set", "notifications.secretNames={slack,alerts}")
    [rule] = _rules(manifests, "Role", NOTIFICATIONS, "crm")

    assert (rule["resourceNames"], rule["verbs"]) == (["slack", "alerts"], ["get"])


def test_the_values_of_the_guide_give_the_rights_that_it_says(helm: Helm, tmp_path: Path) -> None:
    guide = (paths.REPOSITORY / "docs" / "how-to" / "sla.md").read_text()
    [values] = re.findall(r"^```yaml\n(# notifications\.yaml\n.*?)^```", guide, re.MULTILINE | re.DOTALL)
    (tmp_path / "notifications.yaml").write_text(values)
    manifests = helm.render(*MINIMUM, *TENANT, "--values", str(tmp_path / "notifications.yaml"))

    [rule] = _rules(manifests, "Role", NOTIFICATIONS, "crm")
    assert rule == {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["sla-alerts"], "verbs": ["get"]}


def test_the_rights_can_be_kept_to_some_namespaces(helm: Helm) -> None:
    manifests = helm.render(*MINIMUM, "--set", "watchNamespaces={crm,finance}")
    names = [one["metadata"]["name"] for one in of_kind(manifests, "ClusterRole")]

    assert names == [f"{RELEASE}-view", f"{RELEASE}-edit"]
    assert not of_kind(manifests, "ClusterRoleBinding")
    for namespace in ("crm", "finance"):
        assert _rules(manifests, "Role", RELEASE, namespace)


def test_drivers_may_handle_pods_of_their_namespace_and_nothing_else(helm: Helm) -> None:
    manifests = helm.render(*environment("prod"))

    for namespace in ("crm", "finance"):
        grants = _grants(_rules(manifests, "Role", "lakehouse-spark-driver", namespace))
        assert grants == {("", "pods"): {"get", "list", "watch", "create", "patch", "delete", "deletecollection"}}


def test_executors_have_no_rights_and_no_token(helm: Helm) -> None:
    manifests = helm.render(*environment("prod"))
    bindings = of_kind(manifests, "RoleBinding") + of_kind(manifests, "ClusterRoleBinding")
    accounts = [one for one in of_kind(manifests, "ServiceAccount") if "executor" in one["metadata"]["name"]]

    assert "lakehouse-spark-executor" not in {who["name"] for one in bindings for who in one["subjects"]}
    assert [one["automountServiceAccountToken"] for one in accounts] == [False, False]


def test_accounts_are_made_for_namespaces_and_not_for_patterns(helm: Helm) -> None:
    tenancy = 'settings.tenancy=[{"namespace":"team-*"},{"namespace":"crm"},{"namespace":"crm"}]'
    more = "sparkAccounts.namespaces={team-a}"
    manifests = helm.render(*MINIMUM, "--set-json", tenancy, "--set", more)
    accounts = [one for one in of_kind(manifests, "ServiceAccount") if "driver" in one["metadata"]["name"]]

    assert sorted(one["metadata"]["namespace"] for one in accounts) == ["crm", "team-a"]


def test_people_see_and_change_our_kinds_by_the_rights_they_have(helm: Helm) -> None:
    manifests = helm.render(*MINIMUM)
    view, edit = (
        next(one for one in of_kind(manifests, "ClusterRole") if one["metadata"]["name"] == f"{RELEASE}-{what}")
        for what in ("view", "edit")
    )

    assert view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert "rbac.authorization.k8s.io/aggregate-to-view" not in edit["metadata"]["labels"]
    resources = [kind.plural for kind in KINDS]
    assert [rule["resources"] for rule in view["rules"] + edit["rules"]] == [resources, resources]
