"""What the API server itself refuses, in the words a user reads from kubectl; and what it fills in."""

import copy
import json
import subprocess
from typing import Any

import pytest

from lakehouse_dev import tools
from lakehouse_dev.control_plane import ControlPlane
from lakehouse_operator.kube.client import Client
from tests import gen
from tests.apiserver.running import PIPELINES
from tests.apiserver.world import temporary_namespace
from tests.promised import SLACK, WEBHOOK

pytestmark = pytest.mark.apiserver

ALERTS = {"name": "alerts", "key": "signing"}
TOPIC = {"topicArn": "arn:aws:sns:eu-central-1:111122223333:alerts.fifo", "region": "eu-central-1"}


def manifest(**spec: Any) -> dict[str, Any]:
    body = gen.pipeline_body(**spec)
    body["metadata"] = {"name": "admitted", "namespace": "default"}
    del body["status"]
    return body


def replaced(path: str, value: Any) -> dict[str, Any]:
    """Give a good pipeline with one field changed; None takes the field away."""
    body = copy.deepcopy(manifest())
    *parents, last = path.split(".")
    node = body
    for part in parents:
        node = node.setdefault(part, {})
    if value is None:
        del node[last]
    else:
        node[last] = value
    return body


def apply(control_plane: ControlPlane, body: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Apply without storing, as `kubectl apply` does with its default, strict validation."""
    command = [str(tools.program(tools.KUBERNETES, "kubectl")), "--kubeconfig", str(control_plane.kubeconfig)]
    return subprocess.run(
        [*command, "apply", "--dry-run=server", "-f", "-"],
        input=json.dumps(body),
        capture_output=True,
        text=True,
        check=False,
    )


def jdbc(**changes: str) -> dict[str, Any]:
    return {"jdbc": {"dialect": "postgres", "url": "jdbc:postgresql://db/shop", "table": "public.orders"} | changes}


def kafka(**changes: Any) -> dict[str, Any]:
    return {"kafka": {"bootstrapServers": "broker:9092", "topic": "events", "format": "json"} | changes}


REFUSED = [
    pytest.param("spec.source", kafka(format="avro"), "schemaRegistry belongs to format avro", id="no registry"),
    pytest.param(
        "spec.source", kafka(security={"protocol": "SASL_SSL"}), "mechanism belongs to SASL_", id="SASL without how"
    ),
    pytest.param(
        "spec.source",
        kafka(security={"protocol": "SASL_SSL", "mechanism": "PLAIN"}),
        "credentials must name a Secret",
        id="SASL without a Secret",
    ),
    pytest.param("spec.source", kafka(topic=".."), "topic may not be . or ..", id="a topic that cannot be"),
    pytest.param("spec.sorce", {}, 'unknown field "spec.sorce"', id="a misspelt field"),
    pytest.param("spec.source", {}, "exactly one of files, jdbc", id="no source"),
    pytest.param(
        "spec.source",
        jdbc(url="jdbc:postgresql://ada:secret@db/shop"),
        "one host, without user or password",
        id="a password in a URL",
    ),
    pytest.param(
        "spec.source",
        jdbc(url="jdbc:postgresql://db/shop?socketFactory=x"),
        "it may set ApplicationName, connectTimeout",
        id="a class for a driver to load",
    ),
    pytest.param("spec.source", jdbc(query="SELECT 1"), "exactly one of table or query", id="a table and a query"),
    pytest.param("spec.source.jdbc", jdbc()["jdbc"], "exactly one of files, jdbc", id="two sources"),
    pytest.param("spec.sla", {}, "sla needs freshness, maxDuration or both", id="an SLA that promises nothing"),
    pytest.param("spec.sla", {"freshness": "0s"}, "a limit of nothing is always passed", id="an SLA of nothing"),
    pytest.param("spec.sla", {"maxDuration": "soon"}, "spec.sla.maxDuration", id="a limit that is no duration"),
    pytest.param("spec.notify", [{}], "exactly one of slack, webhook or sns", id="a channel of no kind"),
    pytest.param("spec.notify", [SLACK | WEBHOOK], "exactly one of slack, webhook or sns", id="a channel of two kinds"),
    pytest.param("spec.notify", [{"webhook": {}}], "exactly one of url or secretRef", id="a webhook without a URL"),
    pytest.param("spec.notify", [SLACK] * 9, "must have at most 8 items", id="too many to tell"),
    pytest.param("spec.contract", {}, "exactly one of ref (a DataContract) or schema", id="no contract"),
    pytest.param(
        "spec.contract", {"ref": "a", "schema": {}}, "exactly one of ref (a DataContract) or schema", id="two contracts"
    ),
    pytest.param("spec.target.table", "Bronze.Accounts", "spec.target.table", id="a table that is no logical name"),
    pytest.param("spec.target.table", "bronze.a__quarantine", "belong to the quarantine", id="a quarantine as target"),
    pytest.param("spec.source.files.uri", "file:///etc/", "spec.source.files.uri", id="a file system"),
    pytest.param("spec.source.files.uri", "s3://landing/{a,b}/", "spec.source.files.uri", id="a glob"),
    pytest.param("spec.source.files.uri", "s3://landing/a/../b/", "may not hold . or ..", id="a way out"),
    pytest.param(
        "spec.source.files.credentials",
        {"secretRef": {"name": "a"}, "awsSecret": "a"},
        "exactly one of secretRef or awsSecret",
        id="credentials in two places",
    ),
    pytest.param("spec.source.files.credentials.secretRef", None, "exactly one of secretRef", id="credentials nowhere"),
    pytest.param(
        "spec.source.files.credentials", {"awsSecret": "a b"}, "awsSecret", id="a secret of AWS without a name"
    ),
    pytest.param("spec.source.files.format", "xlsx", "Unsupported value", id="an unknown format"),
    pytest.param("spec.concurrencyPolicy", "Allow", "Unsupported value", id="two batches at a time"),
    pytest.param("spec.timeout", "soon", "spec.timeout", id="a timeout that is no duration"),
    pytest.param("spec.retry", {"maxAttempts": 0}, "spec.retry.maxAttempts", id="no attempt at all"),
    pytest.param("spec.spark", {"driver": {"memory": "lots"}}, "spec.spark.driver.memory", id="a size that is none"),
    pytest.param("spec.suspend", "yes", "spec.suspend", id="a word where true or false belongs"),
    pytest.param("spec.target", None, "spec.target", id="no target"),
    pytest.param(
        "spec.target.overwrite", {"by": ["Day"]}, "goes with mode: Overwrite", id="days to replace in an appended table"
    ),
]

MERGE = {"keys": ["Id"], "sequenceBy": ["Stamp"]}
REFUSED_TARGETS = [
    pytest.param({"mode": "Merge"}, "needs target.merge with keys and sequenceBy", id="a merge without keys"),
    pytest.param({"mode": "Overwrite", "merge": MERGE}, "goes with mode: Merge or Append", id="keys of an overwrite"),
    pytest.param({"merge": MERGE}, "merge.into goes with mode: Append", id="a merge into nothing"),
    pytest.param(
        {"mode": "Merge", "merge": MERGE | {"into": "silver.a"}}, "merge.into goes with", id="two tables merged into"
    ),
    pytest.param({"merge": MERGE | {"into": "bronze.a"}}, "must name another table", id="a table merged into itself"),
    pytest.param(
        {"mode": "Merge", "merge": MERGE | {"sequenceBy": ["Id"]}}, "columns that grow with", id="a key as sequence"
    ),
    pytest.param({"mode": "Merge", "merge": MERGE | {"keys": ["Id", "Id"]}}, "Duplicate value", id="a key twice"),
    pytest.param({"mode": "Merge", "merge": MERGE | {"keys": []}}, "should have at least 1", id="no key at all"),
]


@pytest.mark.parametrize(("target", "said"), REFUSED_TARGETS)
def test_apply_refuses_a_target(installed: ControlPlane, target: dict[str, Any], said: str) -> None:
    done = apply(installed, replaced("spec.target", {"table": "bronze.a"} | target))
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.parametrize(
    "target",
    [
        {"mode": "Merge", "merge": MERGE | {"deletes": {"when": "IsDeleted"}, "history": "Scd2"}},
        {"mode": "Append", "merge": MERGE | {"into": "silver.a"}},
        {"mode": "Overwrite", "overwrite": {"by": ["Day"]}},
    ],
    ids=["merged", "kept and merged", "replaced by day"],
)
def test_apply_takes_every_mode_of_a_target(installed: ControlPlane, target: dict[str, Any]) -> None:
    done = apply(installed, replaced("spec.target", {"table": "bronze.a"} | target))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("path", "value", "said"), REFUSED)
def test_apply_refuses(installed: ControlPlane, path: str, value: Any, said: str) -> None:
    done = apply(installed, replaced(path, value))
    assert done.returncode != 0
    assert said in done.stderr


def test_apply_takes_every_field_there_is(installed: ControlPlane) -> None:
    spark = {
        "mode": "Cluster",
        "image": "registry.example/spark:1",
        "driver": {"cores": 2, "memory": "4Gi"},
        "executor": {"instances": 3, "cores": 2, "memory": "4Gi"},
        "conf": {"spark.sql.shuffle.partitions": "64"},
        "serviceAccount": "mine",
        "imagePullSecrets": [{"name": "pull"}],
        "podTemplate": {"spec": {"tolerations": [{"key": "spot", "operator": "Exists"}]}},
    }
    target = {"table": "bronze.a", "mode": "Append", "partitionBy": ["Region"], "properties": {"delta.x": "y"}}
    done = apply(
        installed,
        manifest(
            schedule="0 * * * *",
            timeZone="Europe/Berlin",
            concurrencyPolicy="Replace",
            startingDeadline="1h",
            suspend=True,
            timeout="2h30m",
            startTimeout="10m",
            retry={"maxAttempts": 3, "backoff": "30s", "maxBackoff": "10m"},
            history={"successful": 3, "failed": 3},
            sla={"freshness": "2h", "maxDuration": "45m"},
            notify=[SLACK, {"webhook": {"secretRef": ALERTS, "signing": {"secretRef": ALERTS}}}, {"sns": TOPIC}],
            spark=spark,
            target=target,
        ),
    )
    assert done.returncode == 0, done.stderr


DEFAULTS = {
    "timeZone": "Etc/UTC",
    "concurrencyPolicy": "Forbid",
    "startingDeadline": "1h",
    "suspend": False,
    "timeout": "2h",
    "startTimeout": "10m",
    "retry": {"maxAttempts": 3, "backoff": "30s", "maxBackoff": "10m"},
    "history": {"successful": 3, "failed": 3},
}


async def test_what_is_left_out_is_filled_in_and_nobody_is_said_to_have_looked(
    installed: ControlPlane, client: Client
) -> None:
    async with temporary_namespace(client) as namespace:
        body = manifest()
        body["metadata"]["namespace"] = namespace
        stored = await client.create(PIPELINES, namespace, body)
    assert {key: stored["spec"][key] for key in DEFAULTS} == DEFAULTS
    assert stored["spec"]["spark"]["driver"] == {"cores": 1, "memory": "2Gi"}
    assert stored["status"] == {"observedGeneration": -1}
