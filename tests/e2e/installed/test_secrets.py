"""Nothing secret is where nobody asked for it: every place is searched after every kind of source has run.

The search proves that it looks: in every place it must find the name of the pipeline, which is no secret.
"""

import base64
import json
from collections.abc import Mapping

import pytest

from lakehouse_dev import postgres, s3, warehouse
from lakehouse_dev.cluster import aws, kafka
from lakehouse_dev.cluster import warehouse as database
from lakehouse_dev.demo_sources import examples
from lakehouse_dev.errors import DevError
from lakehouse_dev.web import lineage
from lakehouse_dev.web.oauth import CLIENT_SECRET
from tests.e2e.installed import places
from tests.e2e.installed.stage import SMALL, SMALL_COUNTS, Stage, counts, pipeline, ready

MARKER = "plain-as-day"
BYSTANDER = "nobody-asked-for-this-one"
SECRETS = {
    "the key of the buckets": s3.SECRET_KEY,
    "the password of the database": warehouse.READER_PASSWORD,
    "the password of the topic": kafka.READER_PASSWORD,
    "the secret of the API's client": CLIENT_SECRET,
    "a token of the API": "lakehouse-dev-token",
    "the key of the lineage endpoint": lineage.KEY,
    "a key of AWS that no source needs": BYSTANDER,
}
SLOW = f"""\
WITH pause AS MATERIALIZED (SELECT pg_sleep(20)::text AS over)
SELECT n AS id, '{MARKER}' AS note FROM pause, generate_series(1, 2) AS n"""
CONTRACT = {"type": "object", "properties": {"id": {"type": "integer", "maximum": 1}, "note": {"type": "string"}}}
READER = {"username": warehouse.READER, "password": warehouse.READER_PASSWORD, "bystander": BYSTANDER}
SPARK = {"driver": {"memory": "512Mi"}, "podTemplate": {"spec": aws.identity()}}
KEYS = {"AWS_ACCESS_KEY_ID": s3.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY}


@pytest.fixture(scope="module")
def secrets(serving: Stage) -> Stage:
    """Return the stage with two secrets in AWS."""
    for name, text in (("e2e/warehouse", {"reader": READER}), ("e2e/landing", KEYS)):
        document = json.dumps(text)
        aws.ask(serving.kubeconfig, "secretsmanager", "create_secret", Name=name, SecretString=document)
    return serving


def test_nothing_secret_shows_anywhere(secrets: Stage) -> None:
    url = f"jdbc:postgresql://postgres.{database.NAMESPACE}.svc.cluster.local:5432/{postgres.DATABASE}"
    jdbc = {"dialect": "postgres", "url": url, "query": SLOW, "credentials": {"awsSecret": "e2e/warehouse#reader"}}
    shown = {"spark.ui.enabled": "true", "spark.driver.extraJavaOptions": f"-Dlakehouse.marker={MARKER}"}
    secrets.apply(pipeline(MARKER, source={"jdbc": jdbc}, contract={"schema": CONTRACT}, spark=SPARK | {"conf": shown}))
    pod = secrets.running_driver(MARKER)
    of_driver = secrets.eventually(lambda: _shown(secrets, pod), lambda: f"the Spark UI of {pod} tells of its query")
    assert ready(secrets.settled(MARKER)) == ("True", "Ingested"), secrets.status(MARKER)
    for one in examples():
        secrets.settled(one.name, "lakehouse")

    found = {**of_driver, **places.of_cluster(secrets), **places.of_lake(secrets)}

    assert [place for place, text in found.items() if MARKER not in text] == [], "the search looks nowhere"
    assert _leaks(found) == []


def test_a_bucket_opens_with_keys_that_only_aws_has(secrets: Stage) -> None:
    files = {"uri": SMALL, "format": "csv", "credentials": {"awsSecret": "e2e/landing"}}
    secrets.apply(pipeline("keys-in-aws", source={"files": files}, spark=SPARK))

    status = secrets.settled("keys-in-aws")

    assert ready(status) == ("True", "Ingested"), status
    assert counts(status) == SMALL_COUNTS


def _shown(stage: Stage, pod: str) -> Mapping[str, str] | None:
    """Give what a driver shows while it reads; None while it is not there yet."""
    try:
        found = places.of_driver(stage, pod)
    except (DevError, json.JSONDecodeError):  # no UI, or one that says in plain words that Spark is starting
        return None
    return found if "JDBCRelation" in found["the Spark UI's other pages"] else None


def _leaks(found: Mapping[str, str]) -> list[str]:
    """Name each place that shows a secret, as it is or as a Secret holds it."""
    forms = {what: (value, base64.b64encode(value.encode()).decode()) for what, value in SECRETS.items()}
    return [
        f"{what} is in {place}"
        for place, text in found.items()
        for what, several in forms.items()
        if any(form in text for form in several)
    ]
