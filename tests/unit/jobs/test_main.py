"""What a job says when it cannot begin. Spark is not started for it."""

import json
from pathlib import Path

from lakehouse_api.run import ExitCode
from lakehouse_jobs.__main__ import main
from tests import gen
from tests.aws import REGION, identity
from tests.world import World


def test_a_secret_that_is_missing_is_told_before_anything_is_started(aws: str, tmp_path: Path) -> None:
    tenancy = [{"namespace": "lakehouse", "tables": ["bronze.*"], "uris": ["s3://*"], "awsSecrets": ["prod/*"]}]
    config = gen.config(tenancy=tenancy, secretsManager={"region": REGION, "endpoint": aws})
    source = {"files": {"uri": "s3://landing/crm/", "format": "csv", "credentials": {"awsSecret": "prod/none"}}}
    launch = World(body=gen.pipeline_body(source=source), config=config).reconcile().launch
    assert launch is not None
    run, told = tmp_path / "run.json", tmp_path / "termination-log"
    run.write_text(launch.config_map["data"]["run.json"])

    with identity():
        code = main([str(run)], {"LAKEHOUSE_TERMINATION_LOG": str(told)})

    assert code == ExitCode.UNAVAILABLE
    result = json.loads(told.read_bytes())
    assert (result["outcome"], result["reason"], result["retry"]) == ("Failed", "CredentialsMissing", True)
    assert "'prod/none'" in result["message"]
