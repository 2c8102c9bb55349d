"""The operator in the cluster of the session, installed by helm, and what its pipelines read."""

from dataclasses import dataclass

import pytest
import yaml

from lakehouse_dev import demo_sources
from lakehouse_dev.chart import CHART
from lakehouse_dev.cluster import aws, web
from lakehouse_dev.cluster.provider import Provider
from lakehouse_dev.crm_export import FEWEST_ROWS, CrmExport, crm_export
from lakehouse_dev.image_store import Image
from lakehouse_dev.installation import Installation, make_tenant
from lakehouse_dev.operator_image import operator_image
from lakehouse_dev.spark_image import spark_image
from lakehouse_dev.web import lineage
from tests.e2e.installed.broken import BROKEN, TEXT
from tests.e2e.installed.stage import NAMESPACE, SMALL, SMALL_FILES, Stage

SERVED = ("lakehouse", NAMESPACE, "e2e-gone")
LOCAL = yaml.safe_load((CHART / "values-local.yaml").read_text())["settings"]["tenancy"][0]
RULES = {"tables": LOCAL["tables"], "uris": [*LOCAL["uris"], "s3://nowhere/*"], "awsSecrets": ["e2e/*"]}
STORE = {
    "endpoint": "http://s3-east.s3.svc.cluster.local:8333",
    "region": "us-east-1",
    "pathStyle": True,
    "credentials": {"secretRef": {"name": "lake-s3"}},
}
VALUES = {
    # one of these buckets does not exist
    "settings.buckets": [{"bucket": bucket, **STORE} for bucket in ("lake", "landing", "nowhere")],
    "watchNamespaces": list(SERVED),
    "settings.tenancy": [{"namespace": namespace, **RULES} for namespace in SERVED],
    "settings.secretsManager": {"region": aws.REGION, "endpoint": aws.ENDPOINT},
    "settings.openLineage": {
        "url": f"https://lineage.{web.NAMESPACE}.svc.cluster.local{lineage.PATH}",
        "secretRef": {"name": "openlineage", "key": "apiKey"},
    },
    "settings.maxActiveRuns": {"operator": 2, "namespace": 2},  # what a node of two cores can run
    "crds.keep": False,
}


@dataclass(frozen=True, kw_only=True)
class Images:
    """What is installed in this session; the sources may change under it."""

    operator: Image
    spark: Image


@pytest.fixture(scope="session")
def images(cluster: Provider) -> Images:
    """Return the images of the operator and the jobs, loaded into the node."""
    both = Images(operator=operator_image(), spark=spark_image())
    cluster.load_image(both.operator)
    cluster.load_image(both.spark)
    return both


@pytest.fixture(scope="session")
def installed(cluster: Provider, images: Images) -> Stage:
    """Return the cluster with the operator in it, installed by helm, and the files that pipelines read."""
    for namespace in SERVED:
        make_tenant(cluster.kubeconfig, namespace)
    release = Installation(kubeconfig=cluster.kubeconfig)
    release.install(operator=images.operator, spark=images.spark, values=VALUES)
    stage = Stage(kubeconfig=cluster.kubeconfig, endpoint=cluster.status().s3["east"])
    stage.put(SMALL, SMALL_FILES)
    return stage


@pytest.fixture(scope="session")
def applied(installed: Stage) -> Stage:
    """Return it with every broken pipeline applied at once: no test may wait for the one before it."""
    installed.put(TEXT, {"rows.parquet": "Id,Name\n1,Ada\n"})
    wrong = {"AWS_ACCESS_KEY_ID": "lakehouse-dev", "AWS_SECRET_ACCESS_KEY": "wrong"}
    secret = {"metadata": {"name": "wrong-s3", "namespace": NAMESPACE}, "stringData": wrong}
    installed.apply({"apiVersion": "v1", "kind": "Secret", **secret}, *(case.pipeline for case in BROKEN.values()))
    return installed


@pytest.fixture
def quiet(applied: Stage) -> Stage:
    """Return it once nothing else runs, for tests that need the whole node or break a part of it."""
    for case in BROKEN.values():
        applied.settled(case.pipeline["metadata"]["name"])
    return applied


@pytest.fixture(scope="session")
def example(installed: Stage) -> CrmExport:
    """Return the export that the example reads: small, with every defect."""
    export = crm_export(rows=FEWEST_ROWS, files=5)
    installed.put("s3://landing/crm/accounts/", dict(export.files))
    return export


@pytest.fixture(scope="session")
def serving(cluster: Provider, installed: Stage) -> Stage:
    """Return the stage with every source in it, services of AWS as well, and all examples applied at once."""
    demo_sources.deploy(cluster, "lakehouse")
    aws.deploy(cluster)
    key = {"metadata": {"name": "openlineage", "namespace": "lakehouse"}, "stringData": {"apiKey": lineage.KEY}}
    installed.apply({"apiVersion": "v1", "kind": "Secret", **key})
    for one in demo_sources.examples():
        installed.kubectl("apply", f"--filename={one.file}")
    return installed
