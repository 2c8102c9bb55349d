"""What the chart installs, for each environment and by each choice that its values offer."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lakehouse_api.kinds import KINDS
from lakehouse_dev.chart import CHART
from lakehouse_dev.crds import CRDS, crd
from lakehouse_operator.core.config import Config
from lakehouse_operator.settings import parse_options
from tests.chart.conftest import ENVIRONMENTS, KUBERNETES, MINIMUM, Helm, Manifests, environment, of_kind

GOLDEN = Path(__file__).parent / "golden"
CUSTOM = ("CustomResourceDefinition", "ServiceMonitor", "PrometheusRule")


@pytest.fixture(params=ENVIRONMENTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _key(manifest: dict[str, Any]) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def _settings(manifests: Manifests) -> Config:
    document = next(one for one in of_kind(manifests, "ConfigMap") if "settings.yaml" in one["data"])
    return Config.model_validate(yaml.safe_load(document["data"]["settings.yaml"]))


def _pod(manifests: Manifests) -> dict[str, Any]:
    pod: dict[str, Any] = of_kind(manifests, "Deployment")[0]["spec"]["template"]["spec"]
    return pod


def test_helm_lint_finds_nothing(helm: Helm, name: str) -> None:
    done = helm.run("lint", "--strict", str(CHART), "--kube-version", KUBERNETES, *environment(name))

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_environment_renders_what_is_committed(helm: Helm, name: str, pytestconfig: pytest.Config) -> None:
    """Run with --update to accept a change, and read the difference before you commit it."""
    rendered = [one for one in helm.render(*environment(name)) if one["kind"] != "CustomResourceDefinition"]
    text = yaml.safe_dump_all(sorted(rendered, key=_key), sort_keys=True, width=120)
    file = GOLDEN / f"{name}.yaml"
    if pytestconfig.getoption("update"):
        file.write_text(text)

    assert text == file.read_text()


def test_every_manifest_fits_the_schema_of_kubernetes(helm: Helm, name: str) -> None:
    for manifest in helm.render(*environment(name)):
        if manifest["kind"] not in CUSTOM:
            kubernetes_validate.validate(manifest, "1.34", strict=True)


def test_the_operator_understands_its_settings_and_arguments(helm: Helm, name: str) -> None:
    manifests = helm.render(*environment(name))

    assert _settings(manifests).tenancy
    assert parse_options(_pod(manifests)["containers"][0]["args"], {}).port == 8080


def test_the_chart_installs_the_crds_of_the_repository(helm: Helm) -> None:
    installed = {one["metadata"]["name"]: one["spec"] for one in of_kind(helm.render(*MINIMUM), CUSTOM[0])}

    assert installed == {crd(kind)["metadata"]["name"]: crd(kind)["spec"] for kind in KINDS}
    assert sorted(path.name for path in CRDS.iterdir()) == sorted(p.name for p in (CHART / "files/crds").iterdir())


@pytest.mark.parametrize(("keep", "annotations"), [("true", {"helm.sh/resource-policy": "keep"}), ("false", None)])
def test_crds_stay_at_uninstall_by_choice(helm: Helm, keep: str, annotations: dict[str, str] | None) -> None:
    found = of_kind(helm.render(*MINIMUM, "--set", f"crds.keep={keep}"), CUSTOM[0])

    assert [one["metadata"].get("annotations") for one in found] == [annotations] * len(KINDS)


def test_crds_can_be_left_to_somebody_else(helm: Helm) -> None:
    assert not of_kind(helm.render(*MINIMUM, "--set", "crds.enabled=false"), CUSTOM[0])


def test_a_budget_against_disruption_is_made_for_two_replicas_only(helm: Helm) -> None:
    assert not of_kind(helm.render(*MINIMUM), "PodDisruptionBudget")
    assert of_kind(helm.render(*MINIMUM, "--set", "replicaCount=2"), "PodDisruptionBudget")


def test_a_changed_setting_restarts_the_operator(helm: Helm) -> None:
    def checksum(*arguments: str) -> str:
        template = of_kind(helm.render(*MINIMUM, *arguments), "Deployment")[0]["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/settings"])

    assert checksum() == checksum("--set", "replicaCount=2")
    assert checksum() != checksum("--set", "settings.resyncInterval=5m")


def test_an_image_is_named_by_its_digest_if_there_is_one(helm: Helm) -> None:
    digest = "sha256:" + "0" * 64
    manifests = helm.render(*MINIMUM, "--set", f"image.digest={digest}", "--set", f"sparkImage.digest={digest}")

    assert _pod(manifests)["containers"][0]["image"] == f"lakehouse-operator@{digest}"
    assert _settings(manifests).spark.image == f"lakehouse-spark@{digest}"


def test_the_settings_may_name_a_spark_image_of_their_own(helm: Helm) -> None:
    manifests = helm.render(*MINIMUM, "--set", "settings.spark.image=registry/spark:7")

    assert _settings(manifests).spark.image == "registry/spark:7"


def test_the_operator_can_be_kept_off_the_network(helm: Helm) -> None:
    [policy] = of_kind(helm.render(*MINIMUM, "--set", "networkPolicy.enabled=true"), "NetworkPolicy")

    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


WRONG = {
    "a setting that does not exist": ("settings.lake.url=s3://lake", "at '/settings/lake'"),
    "a lake that is not on S3": ("settings.lake.uri=/tmp/lake", "at '/settings/lake/uri'"),
    "more replicas than can be of use": ("replicaCount=3", "at '/replicaCount'"),
    "a privileged port": ("port=80", "at '/port'"),
    "a rule for no namespace": ("settings.tenancy[0].tables={a}", "at '/settings/tenancy/0'"),
    "a value that does not exist": ("replicas=2", "additional properties 'replicas' not allowed"),
    "a log level in small letters": ("logLevel=info", "at '/logLevel'"),
    "a duration without a unit": ("settings.resyncInterval=x10", "at '/settings/resyncInterval'"),
}


@pytest.mark.parametrize(("value", "told"), WRONG.values(), ids=WRONG)
def test_helm_says_which_value_is_wrong(helm: Helm, value: str, told: str) -> None:
    assert told in helm.refusal(*MINIMUM, "--set", value)


def test_helm_says_that_the_lake_is_missing(helm: Helm) -> None:
    assert "settings.lake.uri must say where the tables lie" in helm.refusal()
